//! The time by the host's web server, for a clock that is so far behind that TLS fails.
//!
//! It comes over plain HTTP, from port 80 of the same name, so that anybody on the way can have
//! made it. This program only writes it into a file; `rccar-provision clock` may set the clock, and
//! believes it within limits.

use crate::host_url::HostUrl;
use rccar_causes::causes;
use rccar_daemon::files;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For the whole question.
const PATIENCE: Duration = Duration::from_secs(10);
/// The head of an answer; `Date` stands among its first lines.
const MAX_BYTES: u64 = 8 * 1024;

/// Asks the host's web server, in a task of its own, and writes what it says into `file`.
pub(super) fn ask(url: &HostUrl, file: PathBuf) {
    let (host, port) = (url.host().to_owned(), 80);
    tokio::spawn(async move {
        match date_of(&host, port).await {
            Ok(date) => tell(&file, date),
            Err(error) => {
                tracing::info!(error = %causes(&error), host, "its web server says no time");
            }
        }
    });
}

async fn date_of(host: &str, port: u16) -> io::Result<SystemTime> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let asked = async {
        let mut stream = TcpStream::connect((name, port)).await?;
        let request = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        stream.take(MAX_BYTES).read_to_end(&mut head).await?;
        parse(&head).ok_or_else(|| io::Error::other("its answer has no date"))
    };
    timeout(PATIENCE, asked).await?
}

/// The header `Date` (RFC 9110 section 6.6.1) of an answer in HTTP.
fn parse(head: &[u8]) -> Option<SystemTime> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
    lines.next().filter(|status| status.starts_with("HTTP/1."))?;
    let date = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("date").then(|| value.trim().to_owned())
    });
    httpdate::parse_http_date(&date?).ok()
}

fn tell(file: &Path, date: SystemTime) {
    let seconds = date.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match files::write(file, format!("{seconds}\n").as_bytes()) {
        Ok(()) => tracing::info!(seconds, "the host's web server says a time"),
        Err(error) => tracing::warn!(error = %causes(&error), "nobody learns the host's time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn date_from(answer: &'static [u8]) -> io::Result<u64> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 256];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n"));
            stream.write_all(answer).await.unwrap();
        });
        let date = date_of("127.0.0.1", port).await?;
        Ok(date.duration_since(UNIX_EPOCH).unwrap().as_secs())
    }

    #[tokio::test]
    async fn the_date_of_any_answer_is_read() {
        for answer in [
            b"HTTP/1.1 301 Moved\r\nDate: Mon, 30 Nov 2026 19:20:00 GMT\r\n\r\n".as_slice(),
            b"HTTP/1.0 404 x\r\nA: b\r\ndate:  Mon, 30 Nov 2026 19:20:00 GMT \r\n\r\nbody",
        ] {
            assert_eq!(date_from(answer).await.unwrap(), 1_796_066_400);
        }
    }

    #[tokio::test]
    async fn an_answer_without_a_date_is_an_error() {
        for answer in [
            b"".as_slice(),
            b"SSH-2.0-x\r\nDate: Mon, 30 Nov 2026 19:20:00 GMT\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\nDate: Mon, 30 Nov 2026 19:20:00 GMT\r\n",
            b"HTTP/1.1 200 OK\r\nDate: yesterday\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nDate: \xff\r\n\r\n",
        ] {
            assert!(date_from(answer).await.is_err(), "{}", String::from_utf8_lossy(answer));
        }
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut_off() {
        let endless: &'static [u8] = Box::leak(vec![b'a'; 1 << 20].into_boxed_slice());
        assert!(date_from(endless).await.is_err());
    }
}
