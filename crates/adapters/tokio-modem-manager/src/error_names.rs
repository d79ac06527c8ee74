//! The names of ModemManager's errors, one enumeration for each family. The names are the API: they
//! appear on the bus after `org.freedesktop.ModemManager1.Error.`.

use std::fmt;

macro_rules! error_names {
    ($(#[$doc:meta])* $name:ident $family:literal { $($variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each is ModemManager's own word")]
        #[non_exhaustive]
        pub enum $name {
            $($variant,)+
            /// A name that this version of the crate does not know.
            Other(String),
        }

        impl $name {
            /// The part of the D-Bus error name before this one.
            pub const FAMILY: &'static str = $family;

            /// The last part of the D-Bus error name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                match name {
                    $(stringify!($variant) => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

error_names! {
    /// Errors of ModemManager itself.
    CoreError "Core" {
        Failed, Cancelled, Aborted, Unsupported, NoPlugins, Unauthorized, InvalidArgs, InProgress, WrongState, Connected,
        TooMany, NotFound, Retry, Exists, WrongSimState, ResetRetry, Timeout, Protocol, Throttled,
    }
}

error_names! {
    /// Errors that the modem or the network reported: 3GPP TS 27.007 (`+CME ERROR`) and the reject
    /// causes of TS 24.008 and 24.301.
    MobileEquipmentError "MobileEquipment" {
        PhoneFailure, NoConnection, LinkReserved, NotAllowed, NotSupported, PhSimPin, PhFsimPin, PhFsimPuk, SimNotInserted,
        SimPin, SimPuk, SimFailure, SimBusy, SimWrong, IncorrectPassword, SimPin2, SimPuk2, MemoryFull, InvalidIndex, NotFound,
        MemoryFailure, TextTooLong, InvalidChars, DialStringTooLong, DialStringInvalid, NoNetwork, NetworkTimeout,
        NetworkNotAllowed, NetworkPin, NetworkPuk, NetworkSubsetPin, NetworkSubsetPuk, ServicePin, ServicePuk, CorpPin, CorpPuk,
        HiddenKeyRequired, EapMethodNotSupported, IncorrectParameters, CommandDisabled, CommandAborted, NotAttachedRestricted,
        NotAllowedEmergencyOnly, NotAllowedRestricted, FixedDialNumberOnly, TemporarilyOutOfService,
        LanguageOrAlphabetNotSupported, UnexpectedDataValue, SystemFailure, DataMissing, CallBarred,
        MessageWaitingIndicationSubscriptionFailure, Unknown, ImsiUnknownInHss, IllegalUe, ImsiUnknownInVlr, ImeiNotAccepted,
        IllegalMe, PsServicesNotAllowed, PsAndNonPsServicesNotAllowed, UeIdentityNotDerivedFromNetwork, ImplicitlyDetached,
        PlmnNotAllowed, AreaNotAllowed, RoamingNotAllowedInArea, PsServicesNotAllowedInPlmn, NoCellsInArea,
        MscTemporarilyNotReachable, NetworkFailureAttach, CsDomainUnavailable, EsmFailure, Congestion,
        MbmsBearerCapabilitiesInsufficientForService, NotAuthorizedForCsg, InsufficientResources, MissingOrUnknownApn,
        UnknownPdpAddressOrType, UserAuthenticationFailed, ActivationRejectedByGgsnOrGw, ActivationRejectedUnspecified,
        ServiceOptionNotSupported, ServiceOptionNotSubscribed, ServiceOptionOutOfOrder, NsapiOrPtiAlreadyInUse,
        RegularDeactivation, QosNotAccepted, CallCannotBeIdentified, CsServiceTemporarilyUnavailable, FeatureNotSupported,
        SemanticErrorInTftOperation, SyntacticalErrorInTftOperation, UnknownPdpContext, SemanticErrorsInPacketFilter,
        SyntacticalErrorsInPacketFilter, PdpContextWithoutTftAlreadyActivated, MulticastGroupMembershipTimeout, GprsUnknown,
        PdpAuthFailure, InvalidMobileClass, LastPdnDisconnectionNotAllowedLegacy, LastPdnDisconnectionNotAllowed,
        SemanticallyIncorrectMessage, InvalidMandatoryInformation, MessageTypeNotImplemented, ConditionalIeError,
        UnspecifiedProtocolError, OperatorDeterminedBarring, MaximumNumberOfBearersReached, RequestedApnNotSupported,
        RequestRejectedBcmViolation, UnsupportedQciOr5qiValue, UserDataViaControlPlaneCongested,
        SmsProvidedViaGprsInRoutingArea, InvalidPtiValue, NoBearerActivated, MessageNotCompatibleWithProtocolState,
        RecoveryOnTimerExpiry, InvalidTransactionIdValue, ServiceOptionNotAuthorizedInPlmn, NetworkFailureActivation,
        ReactivationRequested, Ipv4OnlyAllowed, Ipv6OnlyAllowed, SingleAddressBearersOnlyAllowed,
        CollisionWithNetworkInitiatedRequest, Ipv4v6OnlyAllowed, NonIpOnlyAllowed, BearerHandlingUnsupported,
        ApnRestrictionIncompatible, MultipleAccessToPdnConnectionNotAllowed, EsmInformationNotReceived,
        PdnConnectionNonexistent, MultiplePdnConnectionSameApnNotAllowed, SevereNetworkFailure,
        InsufficientResourcesForSliceAndDnn, UnsupportedSscMode, InsufficientResourcesForSlice,
        MessageTypeNotCompatibleWithProtocolState, IeNotImplemented, N1ModeNotAllowed, RestrictedServiceArea, LadnUnavailable,
        MissingOrUnknownDnnInSlice, NkgsiAlreadyInUse, PayloadNotForwarded, Non3gppAccessTo5gcnNotAllowed,
        ServingNetworkNotAuthorized, DnnNotSupportedInSlice, InsufficientUserPlaneResourcesForPduSession, OutOfLadnServiceArea,
        PtiMismatch, MaxDataRateForUserPlaneIntegrityTooLow, SemanticErrorInQosOperation, SyntacticalErrorInQosOperation,
        InvalidMappedEpsBearerIdentity, RedirectionTo5gcnRequired, RedirectionToEpcRequired, TemporarilyUnauthorizedForSnpn,
        PermanentlyUnauthorizedForSnpn, EthernetOnlyAllowed, UnauthorizedForCag, NoNetworkSlicesAvailable,
        WirelineAccessAreaNotAllowed,
    }
}

error_names! {
    /// Errors of a connection: how the attempt to connect ended.
    ConnectionError "Connection" {
        Unknown, NoCarrier, NoDialtone, Busy, NoAnswer,
    }
}

error_names! {
    /// Errors of a serial port.
    SerialError "Serial" {
        Unknown, OpenFailed, SendFailed, ResponseTimeout, OpenFailedNoDevice, FlashFailed, NotOpen, ParseFailed, FrameNotFound,
    }
}

error_names! {
    /// Errors of short messages (`+CMS ERROR`).
    MessageError "Message" {
        MeFailure, SmsServiceReserved, NotAllowed, NotSupported, InvalidPduParameter, InvalidTextParameter, SimNotInserted,
        SimPin, PhSimPin, SimFailure, SimBusy, SimWrong, SimPuk, SimPin2, SimPuk2, MemoryFailure, InvalidIndex, MemoryFull,
        SmscAddressUnknown, NoNetwork, NetworkTimeout, NoCnmaAckExpected, Unknown,
    }
}

error_names! {
    /// Errors of CDMA activation.
    CdmaActivationError "CdmaActivation" {
        None, Unknown, Roaming, WrongRadioInterface, CouldNotConnect, SecurityAuthenticationFailed, ProvisioningFailed,
        NoSignal, TimedOut, StartFailed,
    }
}

error_names! {
    /// Errors of carrier locks.
    CarrierLockError "CarrierLock" {
        Unknown, InvalidSignature, InvalidImei, InvalidTimestamp, NetworkListTooLarge, SignatureAlgorithmNotSupported,
        FeatureNotSupported, DecodeOrParsingError,
    }
}
