//! The questions of the routes to the program that serves them.

use crate::people::{
    AccountInfo, EndedSignIns, NewLink, NewSignIn, Person, PersonInfo, SharesInfo, SignedIn,
};
use crate::status::{CarStatus, Viewer};
use crate::token::{Token, TokenHash};
use rccar_protocol::identity::CarKey;
use rccar_protocol::signaling::CarRole;
use rccar_protocol::text::{CarId, Name, Software};
use rccar_rooms::EnrolledCar;
use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;

/// Accounts and cars. Implemented by `rccar-host` on its database and by `rccar-car` on its access
/// code.
///
/// A sign-in is a random cookie; the backend sees and stores its hash only.
pub trait Backend: Send + Sync + 'static {
    fn mode(&self) -> Mode;

    /// Whether there is no account yet.
    fn setup_required(&self) -> impl Future<Output = Result<bool, AccountError>> + Send;

    /// Checks credentials and stores the sign-in. For an unknown name it must take as long as for a
    /// wrong password.
    fn sign_in(
        &self,
        credentials: Credentials,
        sign_in: NewSignIn,
    ) -> impl Future<Output = Result<SignedIn, AccountError>> + Send;

    /// Creates the first account with the set-up link's token and stores the sign-in.
    fn set_up(
        &self,
        token: TokenHash,
        name: Name,
        password: Password,
        sign_in: NewSignIn,
    ) -> impl Future<Output = Result<SignedIn, AccountError>> + Send;

    /// Spends a sign-in link and stores the sign-in.
    fn link(
        &self,
        token: TokenHash,
        sign_in: NewSignIn,
    ) -> impl Future<Output = Result<SignedIn, AccountError>> + Send;

    /// Spends a password link: gives its account a new password, ends all of the account's
    /// sign-ins and links, and stores this sign-in.
    fn password_link(
        &self,
        token: TokenHash,
        password: Password,
        sign_in: NewSignIn,
    ) -> impl Future<Output = Result<SignedIn, AccountError>> + Send {
        let _ = (token, password, sign_in);
        async { Err(AccountError::NotOffered) }
    }

    /// What an account says of itself to its user, who is signed in with `this`.
    fn account(
        &self,
        user: Name,
        this: TokenHash,
    ) -> impl Future<Output = Result<AccountInfo, AccountError>> + Send {
        let _ = (user, this);
        async { Err(AccountError::NotOffered) }
    }

    /// Changes the password of a user who knows the present one. All of the account's links and
    /// all sign-ins but `this` end.
    fn change_password(
        &self,
        user: Name,
        this: TokenHash,
        present: Password,
        new: Password,
    ) -> impl Future<Output = Result<EndedSignIns, AccountError>> + Send {
        let _ = (user, this, present, new);
        async { Err(AccountError::NotOffered) }
    }

    /// Ends the user's sign-in of this identifier.
    fn end_sign_in(
        &self,
        user: Name,
        id: String,
    ) -> impl Future<Output = Result<EndedSignIns, AccountError>> + Send {
        let _ = (user, id);
        async { Err(AccountError::NotOffered) }
    }

    /// Ends all sign-ins of the user but `this`.
    fn end_other_sign_ins(
        &self,
        user: Name,
        this: TokenHash,
    ) -> impl Future<Output = Result<EndedSignIns, AccountError>> + Send {
        let _ = (user, this);
        async { Err(AccountError::NotOffered) }
    }

    /// The user who is signed in with this cookie. `None`: the sign-in has ended or never was.
    fn who(
        &self,
        sign_in: TokenHash,
    ) -> impl Future<Output = Result<Option<Person>, AccountError>> + Send;

    /// All accounts, by name.
    fn people(&self) -> impl Future<Output = Result<Vec<PersonInfo>, AccountError>> + Send {
        async { Err(AccountError::NotOffered) }
    }

    /// Adds an account, and makes a link by which its user chooses a password.
    fn add_person(
        &self,
        by: Name,
        person: Person,
    ) -> impl Future<Output = Result<NewLink, AccountError>> + Send {
        let _ = (by, person);
        async { Err(AccountError::NotOffered) }
    }

    /// Gives an account another role. The last admin stays one.
    fn set_role(
        &self,
        by: Name,
        person: Person,
    ) -> impl Future<Output = Result<(), AccountError>> + Send {
        let _ = (by, person);
        async { Err(AccountError::NotOffered) }
    }

    /// Removes an account, whatever the case of the letters, and returns its name; its cars go to
    /// `heir`, or wait for an account of its name. The last admin stays.
    fn remove_person(
        &self,
        by: Name,
        name: Name,
        heir: Option<Name>,
    ) -> impl Future<Output = Result<Name, AccountError>> + Send {
        let _ = (by, name, heir);
        async { Err(AccountError::NotOffered) }
    }

    /// Makes a link by which the user of an account chooses a new password. It ends all of the
    /// account's sign-ins when it is used.
    fn make_password_link(
        &self,
        by: Name,
        name: Name,
    ) -> impl Future<Output = Result<NewLink, AccountError>> + Send {
        let _ = (by, name);
        async { Err(AccountError::NotOffered) }
    }

    fn sign_out(&self, sign_in: TokenHash)
    -> impl Future<Output = Result<(), AccountError>> + Send;

    /// A new enrolment token for one car of this user, under this name if one is given.
    fn enrol(
        &self,
        user: Name,
        name: Option<Name>,
    ) -> impl Future<Output = Result<Enrolment, AccountError>> + Send;

    /// Called when a car has proved that it holds its key. The car is let in if it is enrolled, or
    /// if its token enrols it now.
    fn register_car(
        &self,
        car: CarRegistration,
    ) -> impl Future<Output = Result<EnrolledCar, RegisterError>> + Send;

    /// Makes this user the owner of a car that has proved its key. The car has to be unknown or
    /// revoked.
    fn claim_car(
        &self,
        user: Name,
        car: CarRegistration,
    ) -> impl Future<Output = Result<EnrolledCar, AccountError>> + Send {
        let _ = (user, car);
        async { Err(AccountError::NotOffered) }
    }

    /// Revokes a car, for its owner or an admin.
    fn revoke_car(
        &self,
        by: Name,
        car: CarId,
    ) -> impl Future<Output = Result<(), AccountError>> + Send {
        let _ = (by, car);
        async { Err(AccountError::NotOffered) }
    }

    /// What somebody may do with a car. `None`: for this person there is no such car.
    fn car_role(
        &self,
        person: Person,
        car: CarId,
    ) -> impl Future<Output = Result<Option<CarRole>, AccountError>> + Send {
        let _ = (person, car);
        async { Err(AccountError::NotOffered) }
    }

    /// With whom a car is shared.
    fn shares(&self, car: CarId) -> impl Future<Output = Result<SharesInfo, AccountError>> + Send {
        let _ = car;
        async { Err(AccountError::NotOffered) }
    }

    /// Shares a car with an account, or with everybody (`None`); without a role it is no longer
    /// shared with them. Returns the car as it is from now on.
    fn share(
        &self,
        by: Name,
        car: CarId,
        with: Option<Name>,
        role: Option<CarRole>,
    ) -> impl Future<Output = Result<EnrolledCar, AccountError>> + Send {
        let _ = (by, car, with, role);
        async { Err(AccountError::NotOffered) }
    }

    /// All cars and all admins, after accounts have changed.
    fn rights(
        &self,
    ) -> impl Future<Output = Result<(Vec<EnrolledCar>, BTreeSet<Name>), AccountError>> + Send {
        async { Err(AccountError::NotOffered) }
    }

    /// The state of a car, for its own page. `None` on a host.
    fn status(&self, viewer: Viewer) -> impl Future<Output = Option<CarStatus>> + Send {
        let _ = viewer;
        async { None }
    }
}

/// The kind of program that serves the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A signaling host: accounts with passwords, many cars.
    Host,
    /// A car's own page on the local network: one access code, one car.
    Car,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// For a host.
    Password { name: Name, password: Password },
    /// For a car's own page: its access code.
    Code(Password),
}

/// A secret that a person typed. Hidden in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// An enrolment token, to be copied into a car's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Valid once.
    pub token: Token,
    /// Seconds since 1970 (UTC).
    pub expires_at: u64,
}

/// A car that has proved its key, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarRegistration {
    pub key: CarKey,
    /// The car's own wish; a name that its owner has chosen wins over it.
    pub name: Name,
    pub software: Software,
    /// Hash of its enrolment token; `None` if it shows none.
    pub enrolment: Option<TokenHash>,
    /// Whether it speaks prepared sessions.
    pub prepares: bool,
}

/// Why an account request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Of the name, the password or the access code. The text does not say which.
    #[error("wrong name or password")]
    WrongCredentials,
    /// The link was used, has expired or never was.
    #[error("this link was used already or has expired")]
    WrongToken,
    #[error("this host is set up already")]
    SetUpAlready,
    #[error("{0}")]
    WeakPassword(&'static str),
    /// Of somebody who is signed in and wants another password.
    #[error("the present password is wrong")]
    WrongPassword,
    #[error(
        "this account has no password yet; its first one comes by a password link, which an admin \
         makes, or `rccar-host password-link` on the host"
    )]
    NoPassword,
    #[error("there is no user {0}")]
    NoSuchUser(Name),
    #[error("there is a user {0} already")]
    UserExists(Name),
    /// Without an admin nobody could make one, except on the host's command line.
    #[error("{0} is the only admin: make somebody else an admin first")]
    LastAdmin(Name),
    #[error("{0} cannot get the cars of {0}: name another user")]
    OwnHeir(Name),
    #[error("there is no such sign-in; it may have ended already")]
    NoSuchSignIn,
    #[error("no car shows this code right now; look at its page again, the code may have changed")]
    NoSuchCode,
    #[error("there is no such car")]
    NoSuchCar,
    /// The car belongs to somebody else, or to nobody.
    #[error("only the car's owner and admins of this host may do that")]
    NotYours,
    /// The account has as many as it may have; the text says of what.
    #[error("{0}")]
    TooMany(String),
    /// Only the other kind of program has this, or one that has releases.
    #[error("this program does not offer that")]
    NotOffered,
    /// So many passwords wait to be checked that this one is refused at once.
    #[error("too many people are signing in right now; try again")]
    Busy,
    /// A fault; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

/// Why a car was not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// Unknown, and no valid token.
    #[error("this host does not know the car, and the car showed no valid enrolment token")]
    NotEnrolled,
    /// By its owner or on the command line.
    #[error("the car was removed from this host")]
    Revoked,
    /// A fault; the text is for the log.
    #[error("{0}")]
    Internal(String),
}
