//! The limit of open files, sockets included.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rccar_causes::causes;

/// Raises the soft limit to the hard one. The soft limit is 1024 nearly everywhere, for the sake of
/// programs that use `select(2)`; the default limits on connections, relayed addresses and
/// downloads add up to 2624, and systemd's hard limit is 524288 (`systemd.exec(5)`).
pub(crate) fn allow_all_that_may_be_opened() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map(|()| (soft, hard))
    });
    match raised {
        Ok((soft, hard)) => {
            tracing::debug!(soft, hard, "open files: raised the soft limit to the hard one")
        }
        Err(error) => {
            tracing::warn!(
                error = %causes(&error),
                "cannot raise the limit of open files: fewer connections than configured may fit"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, hard - 1, hard).unwrap();
        allow_all_that_may_be_opened();
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (hard, hard));
    }
}
