//! Commands of 3GPP TS 27.007 and of u-blox (LARA-R2 AT commands manual), as far as ModemManager
//! uses them.

use crate::{Addresses, DataPath};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Registration of the emulated modem: numbers of `+CEREG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtRegistration {
    /// Not registered, and not searching.
    Idle = 0,
    Home = 1,
    Searching = 2,
    Denied = 3,
    Roaming = 5,
}

/// The answer to one command.
pub(super) enum Reply {
    /// Nothing but `OK`.
    Ok,
    /// A line, then `OK`.
    Line(String),
    /// `CONNECT`; after it data flow.
    Connect,
    Error,
    /// `+CME ERROR`, a number of TS 27.007, 9.2.
    EquipmentError(u32),
}

/// The settings that each port has for itself.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) echo: bool,
    /// Format of registration reports by command: 0 none, 1 short, 2 with the cell.
    reports: BTreeMap<String, u32>,
    character_set: String,
    operator_format: u32,
}

impl Default for Port {
    fn default() -> Self {
        Self {
            echo: true,
            reports: BTreeMap::new(),
            character_set: "IRA".to_owned(),
            operator_format: 0,
        }
    }
}

pub(super) struct Device {
    pub(super) registration: AtRegistration,
    pub(super) hangs: bool,
    pub(super) has_sim: bool,
    /// Shell command that answers calls; `None`: the modem makes no calls.
    pub(super) answerer: Option<String>,
    functionality: u32,
    contexts: BTreeMap<u32, String>,
    active: BTreeSet<u32>,
    path: Arc<dyn DataPath>,
}

const SIM_NOT_INSERTED: u32 = 10;
/// "No network service" (TS 27.007, 9.2).
const NO_NETWORK: u32 = 30;
/// Access technology E-UTRAN.
const LTE: u32 = 7;
/// Registration commands.
const REGISTRATIONS: [&str; 3] = ["+CREG", "+CGREG", "+CEREG"];
/// Answers that never change.
const FIXED: [(&str, &str); 27] = [
    ("I", "u-blox\r\nLARA-R204\r\n1.0\r\nIMEI: 867698041234567"),
    ("+GCAP", "+GCAP: +CGSM,+DS,+ES"),
    ("+CGMI", "u-blox"),
    ("+GMI", "u-blox"),
    ("+CGMM", "LARA-R204"),
    ("+GMM", "LARA-R204"),
    ("+CGMR", "EMU 1.0.0"),
    ("+GMR", "EMU 1.0.0"),
    ("+CGSN", "867698041234567"),
    ("+GSN", "867698041234567"),
    ("+WS46=?", "+WS46: (12,22,25,28,29)"),
    ("+WS46?", "+WS46: 25"),
    ("+CFUN=?", "+CFUN: (0,1,4,15,16),(0,1)"),
    ("+CLCK=?", "+CLCK: (\"SC\",\"FD\",\"PS\")"),
    ("+CSCS=?", "+CSCS: (\"IRA\",\"UCS2\",\"GSM\")"),
    ("+CESQ=?", "+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-34,255),(0-34,255),(0-97,255)"),
    ("+CESQ", "+CESQ: 99,99,255,255,22,50"),
    ("+CSQ", "+CSQ: 20,99"),
    ("+CGACT=?", "+CGACT: (0-1)"),
    ("+CGEREP=?", "+CGEREP: (0-2),(0-1)"),
    (
        "+CIND=?",
        "+CIND: (\"battchg\",(0-5)),(\"signal\",(0-5)),(\"service\",(0-1)),(\"roam\",(0-1))",
    ),
    ("+CMER=?", "+CMER: (0-3),(0),(0),(0-1),(0)"),
    ("+UUSBCONF?", "+UUSBCONF: 2,\"ECM\",,\"0x1143\""),
    ("+UBMCONF?", "+UBMCONF: 2"),
    ("+UAUTHREQ=?", "+UAUTHREQ: (1-4),(0-2),,"),
    ("+URAT=?", "+URAT: (3)"),
    ("+URAT?", "+URAT: 3"),
];
/// Answers of a SIM.
const SIM: [(&str, &str); 7] = [
    ("+CPIN?", "+CPIN: READY"),
    ("+CIMI", "001010123456789"),
    ("+CCID", "+CCID: 89001010123456789012"),
    ("+CRSM=176,12258", "+CRSM: 144,0,\"9800010121436587092143\""),
    ("+CRSM=176,28589", "+CRSM: 144,0,\"00000002\""),
    ("+CRSM", "+CRSM: 106,130,\"\""),
    ("+CNUM", "+CNUM: ,\"+10000000001\",145"),
];
/// Beginnings of commands that are accepted and change nothing.
const TAKEN: [&str; 15] = [
    "V1",
    "X4",
    "&C1",
    "&D0",
    "&F",
    "S0=",
    "+CMEE=",
    "+IFC=",
    "+WS46=",
    "+COPS=",
    "+CGEREP=",
    "+CGATT=",
    "+CMER=",
    "+UAUTHREQ=",
    "H",
];

impl Device {
    pub(super) fn new(path: Arc<dyn DataPath>) -> Self {
        let (contexts, active) = (BTreeMap::new(), BTreeSet::new());
        let registration = AtRegistration::Home;
        Self {
            registration,
            hangs: false,
            has_sim: true,
            answerer: None,
            functionality: 1,
            contexts,
            active,
            path,
        }
    }

    /// The answer to one command, without `AT`.
    pub(super) fn answer(&mut self, port: &mut Port, command: &str) -> Reply {
        let command = command.trim();
        if let Some((_, text)) = FIXED.iter().find(|(name, _)| *name == command) {
            return line(text);
        }
        if let Some((_, text)) = SIM.iter().find(|(name, _)| command.starts_with(name)) {
            return if self.has_sim { line(text) } else { Reply::EquipmentError(SIM_NOT_INSERTED) };
        }
        if let Some(reply) = self
            .terminal(port, command)
            .or_else(|| self.network(port, command))
            .or_else(|| self.context(command))
        {
            return reply;
        }
        if command.is_empty() || TAKEN.iter().any(|start| command.starts_with(start)) {
            Reply::Ok
        } else {
            Reply::Error
        }
    }

    /// Ends all contexts, and returns those that were active.
    pub(super) fn deactivate(&mut self) -> Vec<u32> {
        let ended: Vec<u32> = std::mem::take(&mut self.active).into_iter().collect();
        if !ended.is_empty() {
            self.path.carry(None);
        }
        ended
    }

    /// Unsolicited lines about the registration, as the port has asked for them.
    pub(super) fn registration_reports(&self, port: &Port) -> Vec<String> {
        let wanted = port.reports.iter().filter(|(_, format)| **format > 0);
        wanted
            .map(|(command, format)| format!("{command}: {}", self.registration_text(*format)))
            .collect()
    }

    /// Answers commands of the terminal and of power; `None` if it is none of these.
    fn terminal(&mut self, port: &mut Port, command: &str) -> Option<Reply> {
        Some(match command {
            "Z" | "E1" => {
                port.echo = true;
                Reply::Ok
            }
            "E0" => {
                port.echo = false;
                Reply::Ok
            }
            "+CSCS?" => line(&format!("+CSCS: \"{}\"", port.character_set)),
            "+CFUN?" => line(&format!("+CFUN: {}", self.functionality)),
            _ if command.starts_with("+CSCS=") => {
                command[6..].trim_matches('"').clone_into(&mut port.character_set);
                Reply::Ok
            }
            _ if command.starts_with("+CFUN=") => self.set_functionality(&command[6..]),
            // Facilities: none is locked.
            _ if command.starts_with("+CLCK=") => line("+CLCK: 0"),
            _ => return None,
        })
    }

    fn set_functionality(&mut self, arguments: &str) -> Reply {
        let Some(Ok(level)) = arguments.split(',').next().map(str::parse) else {
            return Reply::Error;
        };
        // 15 and 16 restart the modem.
        self.functionality = if level > 4 { 1 } else { level };
        if level != 1 {
            self.deactivate();
        }
        Reply::Ok
    }

    /// Answers commands of the network; `None` if it is none of these.
    fn network(&mut self, port: &mut Port, command: &str) -> Option<Reply> {
        if let Some(name) = REGISTRATIONS.into_iter().find(|name| command.starts_with(name)) {
            return Some(self.registration(port, name, &command[name.len()..]));
        }
        let registered = u32::from(self.is_registered());
        Some(match command {
            "+COPS?" if registered == 0 => line("+COPS: 0"),
            "+COPS?" => {
                let name = if port.operator_format == 2 { "00101" } else { "TestNet" };
                line(&format!("+COPS: 0,{},\"{name}\",{LTE}", port.operator_format))
            }
            "+CGATT?" => line(&format!("+CGATT: {registered}")),
            "+CIND?" => line(&format!(
                "+CIND: 5,4,{registered},{}",
                u32::from(self.registration == AtRegistration::Roaming)
            )),
            _ if command.starts_with("+COPS=3,") => {
                port.operator_format = command[8..].parse().unwrap_or(0);
                Reply::Ok
            }
            _ => return None,
        })
    }

    fn registration(&self, port: &mut Port, name: &str, rest: &str) -> Reply {
        match rest {
            "=?" => line(&format!("{name}: (0-2)")),
            "?" => {
                let format = port.reports.get(name).copied().unwrap_or(0);
                line(&format!("{name}: {format},{}", self.registration_text(format)))
            }
            _ => match rest.strip_prefix('=').map(str::parse) {
                Some(Ok(format)) => {
                    port.reports.insert(name.to_owned(), format);
                    Reply::Ok
                }
                _ => Reply::Error,
            },
        }
    }

    fn registration_text(&self, format: u32) -> String {
        let usable = self.functionality == 1 && self.has_sim;
        let state = if usable { self.registration } else { AtRegistration::Idle };
        let cell = if format == 2 && self.is_registered() {
            format!(",\"1A2B\",\"01C3D4E5\",{LTE}")
        } else {
            String::new()
        };
        format!("{}{cell}", state as u32)
    }

    /// Answers commands of packet data; `None` if it is none of these.
    fn context(&mut self, command: &str) -> Option<Reply> {
        Some(match command {
            "+CGDCONT=?" => {
                let types = ["IP", "IPV6", "IPV4V6"]
                    .map(|kind| format!("+CGDCONT: (1-8),\"{kind}\",,,(0),(0)"));
                line(&types.join("\r\n"))
            }
            "+CGDCONT?" => lines(
                self.contexts
                    .iter()
                    .map(|(id, text)| format!("+CGDCONT: {id},{text},\"0.0.0.0\",0,0")),
            ),
            "+CGACT?" => lines(
                self.contexts
                    .keys()
                    .map(|id| format!("+CGACT: {id},{}", u32::from(self.active.contains(id)))),
            ),
            "+UGCNTRD=?" => Reply::Ok,
            // The number to dial for packet data, with the context (TS 27.007, 10.2.1.1).
            _ if command.starts_with("D*99") && self.answerer.is_some() => {
                match self.is_registered() {
                    true => Reply::Connect,
                    false => Reply::EquipmentError(NO_NETWORK),
                }
            }
            "+UGCNTRD" => line("+UGCNTRD: 1,1000,2000,1000,2000"),
            _ => match command.split_once('=')? {
                ("+CGDCONT", arguments) => self.define(arguments),
                ("+CGACT", arguments) => self.activate(arguments),
                ("+UIPADDR", id) => {
                    let gateway = Addresses::default().gateway4;
                    line(&format!(
                        "+UIPADDR: {id},\"ccinet0\",\"{gateway}\",\"255.255.255.0\",\"\",\"\""
                    ))
                }
                ("+CGCONTRDP", id) => {
                    let Addresses { ip4, gateway4, .. } = Addresses::default();
                    let addresses = format!(
                        "\"{ip4}\",\"255.255.255.0\",\"{gateway4}\",\"192.0.2.53\",\"192.0.2.54\""
                    );
                    line(&format!("+CGCONTRDP: {id},5,\"internet\",{addresses}"))
                }
                _ => return None,
            },
        })
    }

    fn define(&mut self, arguments: &str) -> Reply {
        let mut parts = arguments.splitn(4, ',');
        match (parts.next().map(str::parse::<u32>), parts.next(), parts.next()) {
            (Some(Ok(id)), Some(kind), Some(apn)) => {
                drop(self.contexts.insert(id, format!("{kind},{apn}")))
            }
            (Some(Ok(id)), None, None) => drop(self.contexts.remove(&id)),
            _ => return Reply::Error,
        }
        Reply::Ok
    }

    fn activate(&mut self, arguments: &str) -> Reply {
        let (on, id) = arguments.split_once(',').unwrap_or((arguments, "1"));
        let Ok(id) = id.parse() else { return Reply::Error };
        if on == "0" {
            self.deactivate();
            return Reply::Ok;
        }
        if !self.is_registered() {
            return Reply::EquipmentError(NO_NETWORK);
        }
        self.active.insert(id);
        self.path.carry(Some(Addresses::default()));
        Reply::Ok
    }

    fn is_registered(&self) -> bool {
        self.functionality == 1
            && self.has_sim
            && matches!(self.registration, AtRegistration::Home | AtRegistration::Roaming)
    }
}

fn line(text: &str) -> Reply {
    Reply::Line(text.to_owned())
}

fn lines(texts: impl Iterator<Item = String>) -> Reply {
    let text = texts.collect::<Vec<_>>().join("\r\n");
    if text.is_empty() { Reply::Ok } else { Reply::Line(text) }
}
