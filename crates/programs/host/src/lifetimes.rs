//! How long sign-ins, links and tokens are valid, in seconds.

/// A sign-in; the same as `Max-Age` of its cookie.
pub(crate) const SIGN_IN: u64 = 30 * 24 * 3_600;
/// The set-up link of the first start: somebody who just installed a host opens it the same day,
/// and a restart prints another.
pub(crate) const SETUP_LINK: u64 = 24 * 3_600;
/// A sign-in link from the command line: it is opened at once.
pub(crate) const SIGN_IN_LINK: u64 = 15 * 60;
/// A password link: it is passed on to somebody who may read the message the next day.
pub(crate) const PASSWORD_LINK: u64 = 24 * 3_600;
/// An enrolment token: long enough to write an SD card and to find the car.
pub(crate) const ENROLMENT: u64 = 24 * 3_600;
