//! Bit masks of ModemManager's API. Unknown bits are kept.

use bitflags::bitflags;

bitflags! {
    /// `MMModemAccessTechnology`: the radio in use.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct AccessTechnologies: u32 {
        /// Analogue line.
        const POTS = 1;
        /// GSM.
        const GSM = 1 << 1;
        /// Compact GSM.
        const GSM_COMPACT = 1 << 2;
        /// GPRS.
        const GPRS = 1 << 3;
        /// EDGE.
        const EDGE = 1 << 4;
        /// UMTS.
        const UMTS = 1 << 5;
        /// HSDPA.
        const HSDPA = 1 << 6;
        /// HSUPA.
        const HSUPA = 1 << 7;
        /// HSPA.
        const HSPA = 1 << 8;
        /// HSPA+.
        const HSPA_PLUS = 1 << 9;
        /// CDMA2000 1xRTT.
        const ONE_X_RTT = 1 << 10;
        /// EV-DO revision 0.
        const EVDO0 = 1 << 11;
        /// EV-DO revision A.
        const EVDOA = 1 << 12;
        /// EV-DO revision B.
        const EVDOB = 1 << 13;
        /// LTE.
        const LTE = 1 << 14;
        /// 5G new radio.
        const NR5G = 1 << 15;
        /// LTE category M.
        const LTE_CAT_M = 1 << 16;
        /// Narrow-band IoT.
        const LTE_NB_IOT = 1 << 17;
        const _ = !0;
    }
}

bitflags! {
    /// `MMModemCapability`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Capabilities: u32 {
        /// Analogue line.
        const POTS = 1;
        /// CDMA2000 and EV-DO.
        const CDMA_EVDO = 1 << 1;
        /// GSM to HSPA+.
        const GSM_UMTS = 1 << 2;
        /// LTE.
        const LTE = 1 << 3;
        /// Iridium.
        const IRIDIUM = 1 << 5;
        /// 5G new radio.
        const NR5G = 1 << 6;
        /// TD-SCDMA.
        const TDS = 1 << 7;
        const _ = !0;
    }
}

bitflags! {
    /// `MMBearerIpFamily`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct IpFamilies: u32 {
        /// IPv4 alone.
        const IPV4 = 1;
        /// IPv6 alone.
        const IPV6 = 1 << 1;
        /// Both over one bearer.
        const IPV4V6 = 1 << 2;
        /// No IP at all.
        const NON_IP = 1 << 3;
        const _ = !0;
    }
}

bitflags! {
    /// `MMBearerAllowedAuth`: how to authenticate to the network.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct AllowedAuth: u32 {
        /// Not at all.
        const NONE = 1;
        /// PAP.
        const PAP = 1 << 1;
        /// CHAP.
        const CHAP = 1 << 2;
        /// MS-CHAP.
        const MSCHAP = 1 << 3;
        /// MS-CHAP version 2.
        const MSCHAPV2 = 1 << 4;
        /// EAP.
        const EAP = 1 << 5;
        const _ = !0;
    }
}

bitflags! {
    /// `MMModemLocationSource`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct LocationSources: u32 {
        /// Codes of the network, the area and the cell.
        const GPP3_LAC_CI = 1;
        /// Position from a satellite receiver.
        const GPS_RAW = 1 << 1;
        /// Sentences of a satellite receiver.
        const GPS_NMEA = 1 << 2;
        /// Position of the CDMA base station.
        const CDMA_BS = 1 << 3;
        /// The receiver is switched on, and another program reads its port.
        const GPS_UNMANAGED = 1 << 4;
        /// Position assisted and computed by the network.
        const AGPS_MSA = 1 << 5;
        /// Position assisted by the network and computed in the modem.
        const AGPS_MSB = 1 << 6;
        const _ = !0;
    }
}

bitflags! {
    /// `MMModemMode`: generations of radio.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Modes: u32 {
        /// Circuit switched.
        const CS = 1;
        /// GPRS, EDGE.
        const MODE_2G = 1 << 1;
        /// UMTS to HSPA+.
        const MODE_3G = 1 << 2;
        /// LTE.
        const MODE_4G = 1 << 3;
        /// 5G.
        const MODE_5G = 1 << 4;
        const _ = !0;
    }
}
