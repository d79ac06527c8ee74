//! What the machines take and what they give.

use crate::rung::Rung;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Observation {
    /// A device on the USB looks like a modem, so ModemManager should have it. It may be something
    /// else. A modem that ModemManager has had is missed even when this is false.
    pub expected: bool,
    /// ModemManager is on the bus.
    pub daemon: bool,
    /// `None` if ModemManager has no modem.
    pub modem: Option<ModemView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModemView {
    pub stage: Stage,
    pub registration: Registration,
    /// Whether ModemManager believes that our bearer is connected.
    pub connected: bool,
    /// Whether the network carries packets for the modem; `None` if the modem does not report it.
    pub attached: Option<bool>,
    /// Whether the modem reported its signal within the last minute. ModemManager signals once when
    /// that ends.
    pub signal_recent: bool,
}

impl ModemView {
    /// Packet service is unknown, the signal recent.
    #[must_use]
    pub const fn new(stage: Stage, registration: Registration, connected: bool) -> Self {
        Self { stage, registration, connected, attached: None, signal_recent: true }
    }
}

/// How far a modem has come towards a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Being initialised; this lasts seconds.
    Starting,
    /// It wants its PIN. The number is the tries left; `None` if the modem does not report it.
    LockedByPin(Option<u32>),
    /// It wants another code, which only a person knows.
    LockedForGood,
    /// It cannot be used until a person mends the fault.
    Failed(Fault),
    /// It failed, and a cure may help.
    Broken,
    /// It can be asked to connect.
    Ready,
}

/// Whether the network has the modem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    Registered,
    /// No coverage, or not registered yet.
    Missing,
    /// The network refused the modem.
    Denied,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Car {
    /// Somebody drives, or watches: probes are frequent.
    pub in_session: bool,
    /// Nobody drives, and the drive is not armed: only then may the system be rebooted.
    pub parked: bool,
}

/// What is known of the PIN when the machine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pin {
    #[default]
    Missing,
    /// Configured, and it may be sent.
    Configured,
    /// Configured, but the SIM refused it before the start.
    Refused,
}

/// What the machine asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Climb a rung, and report with [`handle_done`](crate::Machine::handle_done). Only a
    /// [`Rung::Reboot`] that works has no report.
    Act {
        /// Number of this action, for the report.
        action: u64,
        rung: Rung,
        /// Whether the PIN may be used. It is never sent again after it was refused.
        with_pin: bool,
    },
    /// The action has taken too long: stop waiting for it. A report is ignored.
    Abandon { action: u64 },
    /// Take addresses and routes off the interface.
    LinkDown,
    /// Send packets to the probe targets, bound to the interface; report with
    /// [`handle_data_probe`](crate::Machine::handle_data_probe).
    ProbeData,
    /// Ask the modem something, to see whether it answers; report with
    /// [`handle_control_probe`](crate::Machine::handle_control_probe).
    ProbeControl,
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It worked. After [`Rung::Reconnect`] and [`Rung::CycleBearer`] the link has its addresses.
    Done,
    /// It did not work, but may work next time.
    Failed,
    /// The modem is not registered with a network.
    NoNetwork,
    /// It did not work, and will not until a person changes something.
    Refused(Fault),
    /// Modem or daemon did not answer.
    Mute,
}

/// What is wrong and only a person can mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    SimMissing,
    SimUnusable,
    /// The SIM wants a PIN and none is configured.
    PinNeeded,
    /// The configured PIN is wrong.
    PinWrong,
    /// The SIM wants its PUK.
    PukNeeded,
    /// The modem needs an access point name to connect, and none is configured.
    ApnNeeded,
    /// The access point name is wrong or not part of the contract.
    Apn,
    /// User name or password for the access point are wrong.
    Credentials,
    /// The network does not accept this SIM or this modem.
    Denied,
    /// Roaming is switched off and there is no home network.
    Roaming,
}

impl Fault {
    /// What is wrong and what to do about it, in plain words.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::SimMissing => "there is no SIM in the modem: put one in",
            Self::SimUnusable => "the SIM cannot be read: clean it, or try another",
            Self::PinNeeded => "the SIM asks for its PIN: set `modem.pin` in provision.toml",
            Self::PinWrong => {
                "the SIM refused the configured PIN; it is not tried again: correct `modem.pin` in \
                 provision.toml, or put another SIM in while the car is on"
            }
            Self::PukNeeded => {
                "the SIM is blocked after wrong PINs: unblock it with its PUK in a telephone"
            }
            Self::ApnNeeded => {
                "the modem wants an access point name: set `modem.apn` in provision.toml to the \
                 operator's"
            }
            Self::Apn => {
                "the network refuses the access point name: correct `modem.apn` in provision.toml, \
                 or ask the operator"
            }
            Self::Credentials => {
                "the network refuses user name or password of the access point: correct them in \
                 provision.toml"
            }
            Self::Denied => {
                "the network refuses this SIM or this modem: ask the operator whether the contract \
                 is active"
            }
            Self::Roaming => "only foreign networks are in reach and roaming is switched off",
        }
    }
}

/// Flight recorder: every decision of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// An action begins.
    Started {
        rung: Rung,
        cause: Cause,
        /// Failed tries of this outage in a row.
        tries: u32,
    },
    /// An action ended, or was abandoned.
    Ended { rung: Rung, worked: bool, took_ms: u64 },
    /// The link carries data.
    Up {
        /// How long it did not.
        after_ms: u64,
        /// The highest rung that was needed.
        rung: Rung,
    },
    /// The link does not carry data any more.
    Down {
        /// How that was found.
        cause: Cause,
    },
    /// Data has flowed for [`STEADY`](crate::timing::STEADY): the ladder begins at its foot again.
    Steady,
    /// A person is needed.
    FaultFound { fault: Fault },
    /// The fault is mended, or another one takes its place.
    FaultGone { fault: Fault },
}

/// Why an action is taken, or how a loss was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// `rccar-modem` has started.
    Start,
    /// ModemManager says that the bearer is gone.
    BearerLost,
    /// The lease of the link's address has ended, and there is no other one.
    LeaseLost,
    /// Packets are not answered.
    DataSilent,
    /// The modem has been without registration or packet service for a while.
    RegistrationLost,
    /// The last try failed.
    TryFailed,
    /// The modem does not answer.
    ModemMute,
    /// ModemManager does not have the modem.
    ModemMissing,
    /// ModemManager is gone or does not answer.
    DaemonMissing,
    /// The wait for a person is over: the fault may be mended.
    PersonMayHaveActed,
    /// The network, the SIM or the modem came back.
    Returned,
}

/// The state of a machine, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Status {
    /// Data flows.
    Up,
    /// An action is under way.
    Acting { rung: Rung },
    /// The next action is due later.
    Waiting {
        rung: Rung,
        /// Milliseconds from the start of the clock.
        due_ms: u64,
    },
}
