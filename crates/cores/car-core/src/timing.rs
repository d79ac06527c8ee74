//! Times of `uplinks` and `recovery`. A source is named where a number is not this project's own.

use std::time::Duration;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A new uplink is used when nothing has changed for this time: its addresses and routes appear one
/// after the other, some milliseconds apart.
pub const SETTLE: Duration = ms(100);
/// A new uplink is used at the latest this time after its first sign.
pub const SETTLE_MOST: Duration = ms(300);
/// How long a better uplink has to be there before it is used. Wi-Fi at the edge of its range comes
/// and goes within seconds.
pub const RETURN_AFTER: Duration = ms(5_000);
/// The longest of these waits. Each return to a better uplink that did not last doubles the next
/// wait.
pub const RETURN_MOST: Duration = ms(60_000);
/// A return that lasts for this time was right, and the waits begin again at the shortest.
pub const STEADY: Duration = ms(30_000);
/// How long a probe of an uplink may take: two lost SYNs of TCP (RFC 6298: 1 s, then 2 s), and an
/// answer.
pub const PROBE_WITHIN: Duration = ms(4_000);
/// How long an uplink that was silent is not trusted. Doubles with each silence.
pub const DISTRUST: Duration = ms(15_000);
/// The longest of these times.
pub const DISTRUST_MOST: Duration = ms(240_000);

/// A path is silent when nothing has come for this time. Control frames come every 20 ms, the
/// browser's reports on the video every 50 to 250 ms.
pub const SILENT: Duration = ms(500);
/// How often a keyframe is sent while a path is silent. The first one that gets through is a
/// picture again, no matter what was lost before.
pub const KEYFRAMES: Duration = ms(250);
/// How long the host may take to answer before its uplink counts as silent. To take a slow host for
/// a dead one costs no more than a second socket.
pub const HOST_WITHIN: Duration = ms(500);
/// How long a restart waits after the host has answered again. The link may have just come back,
/// and the old path with it: a keepalive is sent every 200 ms.
pub const HEAL: Duration = ms(300);
/// How often the host is asked while a path is silent.
pub const ASK_EVERY: Duration = ms(1_000);
/// A restart that has not connected within this time is tried again. It is three times the slowest
/// one on a good 4G link.
pub const RETRY: Duration = ms(2_000);
/// A restart that nobody has answered is left this long, because the answer may only be slow.
pub const ANSWER_WITHIN: Duration = ms(4_000);
/// The peer connection is built again when restarts have not helped for this time. The page gives
/// up after 8 s by itself.
pub const REBUILD: Duration = ms(6_000);
/// Two wishes for another path within this time are one.
pub const SAME_WISH: Duration = ms(1_000);
/// Limit of the first connection. Gathering, TURN, checks and DTLS take under 2 s on a bad link;
/// after ten times that there is no hope.
pub const CONNECT_WITHIN: Duration = ms(20_000);
/// A session whose driver is lost ends after this time, in which a car passes a tunnel at walking
/// pace. The driver's page asks for a new session earlier if it can.
pub const GIVE_UP: Duration = ms(30_000);
/// A driver who has been unreachable for this time will hardly come back without help: somebody
/// else may have the car.
pub const UNREACHABLE: Duration = ms(3_000);
