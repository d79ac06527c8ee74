//! What goes into the machine and what comes out.

use crate::rung::Rung;
use serde::Serialize;

/// What is seen of the modem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Observation {
    /// There is something on the USB that ModemManager should have. What it has had once is missed
    /// whether this says so or not; what it never had may be no modem at all.
    pub expected: bool,
    /// ModemManager is on the bus.
    pub daemon: bool,
    /// The modem, if ModemManager has it.
    pub modem: Option<ModemView>,
}

/// A modem as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModemView {
    /// Whether it can be asked to connect.
    pub stage: Stage,
    /// Whether the network has it.
    pub registration: Registration,
    /// Whether ModemManager believes that our bearer is connected.
    pub connected: bool,
    /// Whether the network carries packets for the modem, if the modem tells.
    pub attached: Option<bool>,
    /// Whether the signal's strength was told within the last minute; ModemManager says so when it
    /// has not been, once.
    pub signal_recent: bool,
}

impl ModemView {
    /// One of which nothing is known but these.
    #[must_use]
    pub const fn new(stage: Stage, registration: Registration, connected: bool) -> Self {
        Self { stage, registration, connected, attached: None, signal_recent: true }
    }
}

/// How far a modem has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Being initialised: soon something else.
    Starting,
    /// Waiting for its PIN, with this many tries left if it tells.
    LockedByPin(Option<u32>),
    /// Waiting for another code, which only a person knows.
    LockedForGood,
    /// It cannot be used, and why.
    Failed(Fault),
    /// It failed for a reason that a cure may help against.
    Broken,
    /// It can be asked to connect.
    Ready,
}

/// Whether the network has the modem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// It has.
    Registered,
    /// It has not: no coverage, or not yet.
    Missing,
    /// It refused.
    Denied,
}

/// What the car is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Car {
    /// Somebody drives, or watches: probes are frequent.
    pub in_session: bool,
    /// Nobody drives, and the drive is not armed: only then may the system be rebooted.
    pub parked: bool,
}

/// What is known of the PIN when the machine begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pin {
    /// None is configured.
    #[default]
    Missing,
    /// It may be sent.
    Configured,
    /// The SIM has refused it before the start.
    Refused,
}

/// What the machine asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Climb a rung, and report with [`handle_done`](crate::Machine::handle_done). All but
    /// [`Rung::Reboot`] come back.
    Act {
        /// Names this action in the report.
        action: u64,
        /// What to do.
        rung: Rung,
        /// Whether the PIN may be used. It is never sent again after it was refused.
        with_pin: bool,
    },
    /// The action has taken too long: stop waiting for it. Its report is not expected any more.
    Abandon { action: u64 },
    /// Take addresses and routes off the interface.
    LinkDown,
    /// Send packets to the probe targets, bound to the interface; report with
    /// [`handle_data_probe`](crate::Machine::handle_data_probe).
    ProbeData,
    /// Ask the modem something; report with
    /// [`handle_control_probe`](crate::Machine::handle_control_probe).
    ProbeControl,
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It worked. After [`Rung::Reconnect`] and [`Rung::CycleBearer`] the link has its addresses.
    Done,
    /// It did not, and may next time.
    Failed,
    /// The network does not have the modem.
    NoNetwork,
    /// It did not, and will not until a person changes something.
    Refused(Fault),
    /// Modem or daemon did not answer.
    Mute,
}

/// What only a person can mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// There is no SIM.
    SimMissing,
    /// The SIM cannot be used.
    SimUnusable,
    /// The SIM wants a PIN and none is configured.
    PinNeeded,
    /// The configured PIN is wrong.
    PinWrong,
    /// The SIM wants its PUK.
    PukNeeded,
    /// The modem connects with an access point name only, and none is configured.
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
                "the SIM refused the configured PIN; it is not tried again: correct `modem.pin` in provision.toml, or put another SIM in \
                 while the car is on"
            }
            Self::PukNeeded => {
                "the SIM is blocked after wrong PINs: unblock it with its PUK in a telephone"
            }
            Self::ApnNeeded => {
                "the modem wants an access point name: set `modem.apn` in provision.toml to the operator's"
            }
            Self::Apn => {
                "the network refuses the access point name: correct `modem.apn` in provision.toml, or ask the operator"
            }
            Self::Credentials => {
                "the network refuses user name or password of the access point: correct them in provision.toml"
            }
            Self::Denied => {
                "the network refuses this SIM or this modem: ask the operator whether the contract is active"
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
        /// What is done.
        rung: Rung,
        /// Why.
        cause: Cause,
        /// How many tries this outage has had so far.
        tries: u32,
    },
    /// An action ended.
    Ended {
        /// What was done.
        rung: Rung,
        /// Whether it worked.
        worked: bool,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// The link carries data.
    Up {
        /// How long it did not, in milliseconds.
        after_ms: u64,
        /// The highest rung that was needed.
        rung: Rung,
    },
    /// The link does not carry data any more.
    Down {
        /// How that was found.
        cause: Cause,
    },
    /// Data has flowed for long enough: the ladder begins at its foot again.
    Steady,
    /// A person is needed.
    FaultFound { fault: Fault },
    /// It is mended.
    FaultGone { fault: Fault },
}

/// Why something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The supervisor starts.
    Start,
    /// ModemManager says that the bearer is gone.
    BearerLost,
    /// The lease of its address has ended, and nobody has given another one.
    LeaseLost,
    /// Packets are not answered.
    DataSilent,
    /// The network has not had the modem for a while.
    RegistrationLost,
    /// The last try failed.
    TryFailed,
    /// The modem does not answer.
    ModemMute,
    /// ModemManager does not have the modem.
    ModemMissing,
    /// ModemManager is gone or does not answer.
    DaemonMissing,
    /// Something that a person had to do may have been done.
    PersonMayHaveActed,
    /// The network, the SIM or the modem came back.
    Returned,
}

/// The state in one word and its numbers.
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
        /// When, in milliseconds from the start of the clock.
        due_ms: u64,
    },
}
