//! `ppp-peer DEVICE [USER PASSWORD]`: answers a call, as a mobile network.
//!
//! The call comes over its standard input, a socket for both directions. Behind the network is the
//! TUN device DEVICE. 10.64.0.1 is this machine, 10.64.0.2 the car; both are in 2001:db8:64::/64.

use rccar_modem_lab::ppp::{Event, Network, Peer};
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tun_rs::{DeviceBuilder, Layer};

/// Time after which an unanswered request is sent again.
const PATIENCE: Duration = Duration::from_secs(1);
/// Larger than the device's MTU.
const BUFFER: usize = 2048;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (device, sign_in) = match arguments.as_slice() {
        [device] => (device, None),
        [device, user, password] => (device, Some((user.clone(), password.clone()))),
        _ => return Err("usage: ppp-peer DEVICE [USER PASSWORD]".into()),
    };
    let (here, there) = (Ipv4Addr::new(10, 64, 0, 1), Ipv4Addr::new(10, 64, 0, 2));
    let prefix = Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0, 0, 0, 0, 0);
    let builder =
        DeviceBuilder::new().name(device).layer(Layer::L3).mtu(1500).ipv4(here, 32, Some(there));
    let device = Arc::new(builder.ipv6(Ipv6Addr::from(u128::from(prefix) | 1), 64).build_sync()?);
    let line = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    line.set_read_timeout(Some(PATIENCE))?;
    let peer = Arc::new(Mutex::new(Peer::new(Network { here, there, dns: here, prefix, sign_in })));

    let (network, outgoing) = (Arc::clone(&peer), line.try_clone()?);
    let packets = Arc::clone(&device);
    std::thread::spawn(move || {
        let mut buffer = [0; BUFFER];
        while let Ok(length) = packets.recv(&mut buffer) {
            let mut peer = lock(&network);
            peer.send(&buffer[..length]);
            if flush(&mut peer, &outgoing).is_err() {
                return;
            }
        }
    });

    let mut buffer = [0; BUFFER];
    loop {
        let length = match (&line).read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => return Err(error.into()),
        };
        let mut peer = lock(&peer);
        let events = if length == 0 { peer.repeat() } else { peer.read(&buffer[..length]) };
        flush(&mut peer, &line)?;
        drop(peer);
        for event in events {
            match event {
                // Like any router, the kernel may drop a packet, such as one from an address that
                // belongs to nobody.
                Event::Packet(packet) => drop(device.send(&packet)),
                Event::Said(text) => eprintln!("ppp-peer: {text}"),
                Event::Over => return Ok(()),
            }
        }
    }
}

/// Writes the peer's output. The caller holds its lock, so that frames do not mix on the line.
fn flush(peer: &mut Peer, mut line: &UnixStream) -> io::Result<()> {
    line.write_all(&peer.output())
}

fn lock(peer: &Mutex<Peer>) -> MutexGuard<'_, Peer> {
    peer.lock().unwrap_or_else(PoisonError::into_inner)
}
