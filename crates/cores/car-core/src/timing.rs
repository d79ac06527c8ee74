//! Times of `uplinks` and `recovery`. Sources are named where a number is not this project's own.

use std::time::Duration;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Addresses and routes of one uplink come in rows, some milliseconds apart: a new uplink is used
/// when nothing changed for so long.
pub const SETTLE: Duration = ms(100);
/// But not later than this after its first sign.
pub const SETTLE_MOST: Duration = ms(300);
/// How long a better uplink has to be there before it is used. Wi-Fi at the edge of its range comes
/// and goes within seconds.
pub const RETURN_AFTER: Duration = ms(5_000);
/// The longest of these waits; each return that did not last doubles the next one.
pub const RETURN_MOST: Duration = ms(60_000);
/// A return that lasted for so long was right.
pub const STEADY: Duration = ms(30_000);
/// How long a probe of an uplink may take: two lost SYNs of TCP (RFC 6298: 1 s, then 2 s), and an
/// answer.
pub const PROBE_WITHIN: Duration = ms(4_000);
/// How long an uplink that was silent is not trusted; doubles with each time.
pub const DISTRUST: Duration = ms(15_000);
/// The longest of these times.
pub const DISTRUST_MOST: Duration = ms(240_000);

/// Control frames come every 20 ms, the browser's reports on the video every 50 to 250 ms: after
/// this time a path is silent.
pub const SILENT: Duration = ms(500);
/// A keyframe as often while a path is silent: the first one that gets through is a picture again,
/// whatever was lost before.
pub const KEYFRAMES: Duration = ms(250);
/// How long the host may take to answer before its uplink counts as silent. Telling a slow one from
/// a dead one costs nothing but a second socket.
pub const HOST_WITHIN: Duration = ms(500);
/// When the host answers again, the link may have just come back, and the old path with it: a
/// keepalive is sent every 200 ms.
pub const HEAL: Duration = ms(300);
/// How often it is asked.
pub const ASK_EVERY: Duration = ms(1_000);
/// A restart that has not connected by now is tried again: three times the slowest one on a good 4G
/// link.
pub const RETRY: Duration = ms(2_000);
/// A restart that was never answered stays out for so long, because the answer may only be slow.
pub const ANSWER_WITHIN: Duration = ms(4_000);
/// The peer connection is built anew when restarts have not helped for so long. The page gives up
/// after 8 s by itself.
pub const REBUILD: Duration = ms(6_000);
/// Two wishes for another path within this time are one.
pub const SAME_WISH: Duration = ms(1_000);
/// The first connection: gathering, TURN, checks and DTLS take under 2 s on a bad link; ten times
/// that is no hope.
pub const CONNECT_WITHIN: Duration = ms(20_000);
/// A tunnel at walking pace. The driver's page asks for a new session earlier if it can.
pub const GIVE_UP: Duration = ms(30_000);
/// A driver who has been unreachable for so long is not about to come back by themselves: somebody
/// else may have the car.
pub const UNREACHABLE: Duration = ms(3_000);
