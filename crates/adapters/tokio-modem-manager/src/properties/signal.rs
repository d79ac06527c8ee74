//! Extended signal quality.

use crate::dict::Dict;

/// `Signal`: measurements for each radio, refreshed at the rate given to
/// [`Modem::setup_signal`](crate::Modem::setup_signal).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signal {
    /// Seconds between measurements, 0 for none.
    pub rate: u32,
    /// GSM.
    pub gsm: Option<CellSignal>,
    /// UMTS.
    pub umts: Option<CellSignal>,
    /// LTE.
    pub lte: Option<CellSignal>,
    /// 5G.
    pub nr5g: Option<CellSignal>,
}

/// Measurements of one radio; each has only some of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CellSignal {
    /// Received signal strength in dBm.
    pub rssi: Option<f64>,
    /// Power of the reference signal in dBm (LTE, 5G).
    pub rsrp: Option<f64>,
    /// Quality of the reference signal in dB (LTE, 5G).
    pub rsrq: Option<f64>,
    /// Signal to noise in dB (LTE, 5G).
    pub snr: Option<f64>,
    /// Received signal code power in dBm (UMTS).
    pub rscp: Option<f64>,
    /// Energy per chip over noise in dB (UMTS).
    pub ecio: Option<f64>,
    /// Errors in percent.
    pub error_rate: Option<f64>,
}

impl Signal {
    pub(crate) fn from_properties(properties: &Dict) -> Self {
        let of = |key| CellSignal::from_dict(&properties.dict(key));
        Self {
            rate: properties.u32("Rate"),
            gsm: of("Gsm"),
            umts: of("Umts"),
            lte: of("Lte"),
            nr5g: of("Nr5g"),
        }
    }
}

impl CellSignal {
    fn from_dict(dict: &Dict) -> Option<Self> {
        let cell = Self {
            rssi: dict.get("rssi"),
            rsrp: dict.get("rsrp"),
            rsrq: dict.get("rsrq"),
            snr: dict.get("snr"),
            rscp: dict.get("rscp"),
            ecio: dict.get("ecio"),
            error_rate: dict.get("error-rate"),
        };
        (!dict.is_empty()).then_some(cell)
    }
}
