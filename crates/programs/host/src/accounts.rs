//! Answers the questions of the routes from the database.

use crate::config::Caps;
use crate::db::{self, Claimed, Db, DbError, Enrolled, LinkKind, MOST_SHARES, Sharing, unix_now};
use crate::lifetimes::{ENROLMENT, PASSWORD_LINK};
use crate::password::{HashError, Hasher};
use crate::password_rules::check_password;
use rccar_causes::causes;
use rccar_protocol::signaling::CarRole;
use rccar_protocol::text::{CarId, Name};
use rccar_site::{
    AccountError, AccountInfo, Backend, CarRegistration, Credentials, EndedSignIns, EnrolledCar,
    Enrolment, Mode, NewLink, NewSignIn, Password, Person, PersonInfo, RegisterError, SharesInfo,
    SignedIn, Token, TokenHash,
};
use std::collections::BTreeSet;

#[derive(Debug)]
pub(crate) struct Accounts {
    db: Db,
    hasher: Hasher,
    caps: Caps,
}

impl Accounts {
    pub(crate) fn new(db: Db, hasher: Hasher, caps: Caps) -> Self {
        Self { db, hasher, caps }
    }

    async fn add_sign_in(
        &self,
        account: i64,
        user: Name,
        sign_in: NewSignIn,
    ) -> Result<SignedIn, AccountError> {
        let work = move |store: &mut db::Store| store.add_sign_in(&sign_in, account, unix_now());
        let ended = self.db.run(work).await.map_err(internal)?;
        Ok(SignedIn { user, ended })
    }
}

impl Backend for Accounts {
    fn mode(&self) -> Mode {
        Mode::Host
    }

    async fn setup_required(&self) -> Result<bool, AccountError> {
        self.db.run(|store| store.has_accounts()).await.map(|any| !any).map_err(internal)
    }

    async fn sign_in(
        &self,
        credentials: Credentials,
        sign_in: NewSignIn,
    ) -> Result<SignedIn, AccountError> {
        let Credentials::Password { name, password } = credentials else {
            return Err(AccountError::NotOffered);
        };
        let account =
            self.db.run(move |store| store.account(name.as_str())).await.map_err(internal)?;
        let stored = account.as_ref().and_then(|account| account.password.clone());
        // For an unknown name, too: the time that it takes must not show which names exist.
        let fits = self.hasher.verify(password, stored).await?;
        let account = account.filter(|_| fits).ok_or(AccountError::WrongCredentials)?;
        self.add_sign_in(account.id, account.name, sign_in).await
    }

    async fn set_up(
        &self,
        token: TokenHash,
        name: Name,
        password: Password,
        sign_in: NewSignIn,
    ) -> Result<SignedIn, AccountError> {
        if !self.setup_required().await? {
            return Err(AccountError::SetUpAlready);
        }
        // Checked before the work of hashing, which strangers must not get for free. It is spent
        // after that: a password that is refused does not cost the link.
        if !self
            .db
            .run(move |store| store.is_setup_link(token, unix_now()))
            .await
            .map_err(internal)?
        {
            return Err(AccountError::WrongToken);
        }
        check_password(&password, &name)?;
        let hash = self.hasher.hash(password).await?;
        let user = name.clone();
        let account = self
            .db
            .run(move |store| store.set_up(token, &name, &hash, unix_now()))
            .await
            .map_err(internal)?;
        let account = account.ok_or(AccountError::SetUpAlready)?;
        tracing::info!(%user, "the host is set up");
        self.add_sign_in(account, user, sign_in).await
    }

    async fn link(&self, token: TokenHash, sign_in: NewSignIn) -> Result<SignedIn, AccountError> {
        let spent = self
            .db
            .run(move |store| store.spend_link(token, unix_now()))
            .await
            .map_err(internal)?;
        let (account, user) = spent.ok_or(AccountError::WrongToken)?;
        self.add_sign_in(account, user, sign_in).await
    }

    async fn password_link(
        &self,
        token: TokenHash,
        password: Password,
        sign_in: NewSignIn,
    ) -> Result<SignedIn, AccountError> {
        // As for the set-up link: strangers must not get the work of hashing for free, and a
        // password that is refused does not cost the link.
        let user = self.db.run(move |store| store.user_of_password_link(token, unix_now())).await;
        let user = user.map_err(internal)?.ok_or(AccountError::WrongToken)?;
        check_password(&password, &user)?;
        let hash = self.hasher.hash(password).await?;
        let work = move |store: &mut db::Store| {
            store.spend_password_link(token, &hash, &sign_in, unix_now())
        };
        let ended = self.db.run(work).await.map_err(internal)?;
        tracing::info!(%user, "a new password by a link");
        Ok(SignedIn { user, ended: ended.ok_or(AccountError::WrongToken)? })
    }

    async fn account(&self, user: Name, this: TokenHash) -> Result<AccountInfo, AccountError> {
        let work = move |store: &mut db::Store| {
            let Some(account) = store.account(user.as_str())? else { return Ok(None) };
            let sign_ins = store.sign_ins(account.id, this, unix_now())?;
            let has_password = account.password.is_some();
            Ok(Some(AccountInfo { name: account.name, has_password, sign_ins }))
        };
        self.db.run(work).await.map_err(internal)?.ok_or(AccountError::NoSuchSignIn)
    }

    async fn change_password(
        &self,
        user: Name,
        this: TokenHash,
        present: Password,
        new: Password,
    ) -> Result<EndedSignIns, AccountError> {
        check_password(&new, &user)?;
        let account = self.db.run(move |store| store.account(user.as_str())).await;
        let account = account.map_err(internal)?.ok_or(AccountError::NoSuchSignIn)?;
        let before = account.password.ok_or(AccountError::NoPassword)?;
        if !self.hasher.verify(present, Some(before.clone())).await? {
            return Err(AccountError::WrongPassword);
        }
        let hash = self.hasher.hash(new).await?;
        let work =
            move |store: &mut db::Store| store.change_password(account.id, (&before, &hash), this);
        self.db.run(work).await.map_err(internal)?.ok_or(AccountError::WrongPassword)
    }

    async fn end_sign_in(&self, user: Name, id: String) -> Result<EndedSignIns, AccountError> {
        let ended = self.db.run(move |store| store.end_sign_in(&user, &id)).await;
        let ended = ended.map_err(internal)?;
        if ended.is_empty() { Err(AccountError::NoSuchSignIn) } else { Ok(ended) }
    }

    async fn end_other_sign_ins(
        &self,
        user: Name,
        this: TokenHash,
    ) -> Result<EndedSignIns, AccountError> {
        let work = move |store: &mut db::Store| store.end_other_sign_ins(&user, this);
        self.db.run(work).await.map_err(internal)
    }

    async fn who(&self, sign_in: TokenHash) -> Result<Option<Person>, AccountError> {
        self.db.run(move |store| store.person(sign_in, unix_now())).await.map_err(internal)
    }

    async fn people(&self) -> Result<Vec<PersonInfo>, AccountError> {
        self.db.run(|store| store.people(unix_now())).await.map_err(internal)
    }

    async fn add_person(&self, _: Name, person: Person) -> Result<NewLink, AccountError> {
        let (link, hash) = new_password_link()?;
        let name = person.name.clone();
        let work =
            move |store: &mut db::Store| store.add_person(&person, hash, unix_now(), link_end());
        let added = self.db.run(work).await.map_err(internal)?;
        if added { Ok(link) } else { Err(AccountError::UserExists(name)) }
    }

    async fn set_role(&self, _: Name, person: Person) -> Result<(), AccountError> {
        let name = person.name.clone();
        let work = move |store: &mut db::Store| store.set_role(person.name.as_str(), person.role);
        check_changed(self.db.run(work).await.map_err(internal)?, &name)
    }

    async fn remove_person(
        &self,
        _: Name,
        name: Name,
        heir: Option<Name>,
    ) -> Result<Name, AccountError> {
        self.db.run(move |store| Ok(remove(store, &name, heir.as_ref()))).await.map_err(internal)?
    }

    async fn make_password_link(&self, _: Name, name: Name) -> Result<NewLink, AccountError> {
        let (link, hash) = new_password_link()?;
        let work = move |store: &mut db::Store| {
            let Some(account) = store.account(name.as_str())? else { return Ok(Err(name)) };
            store.add_link(hash, account.id, LinkKind::Password, link_end(), 1).map(Ok)
        };
        let made = self.db.run(work).await.map_err(internal)?;
        made.map_err(AccountError::NoSuchUser).map(|()| link)
    }

    async fn sign_out(&self, sign_in: TokenHash) -> Result<(), AccountError> {
        self.db.run(move |store| store.remove_sign_in(sign_in)).await.map_err(internal)
    }

    async fn enrol(&self, user: Name, name: Option<Name>) -> Result<Enrolment, AccountError> {
        let token = Token::generate().map_err(internal)?;
        let (hash, now, caps) = (token.hash(), unix_now(), self.caps);
        let expires_at = now + ENROLMENT;
        let owner = user.clone();
        let work = move |store: &mut db::Store| {
            store.add_enrolment(hash, Some(owner.as_str()), name.as_ref(), (now, expires_at), caps)
        };
        check_caps(self.db.run(work).await.map_err(internal)?, caps)?;
        tracing::info!(%user, "made an enrolment token");
        Ok(Enrolment { token, expires_at })
    }

    async fn register_car(&self, car: CarRegistration) -> Result<EnrolledCar, RegisterError> {
        let outcome = self.db.run(move |store| store.enrol(&car, unix_now())).await;
        match outcome
            .map_err(|error: DbError| RegisterError::Internal(causes(&error).to_string()))?
        {
            Enrolled::Known(car) => Ok(car),
            Enrolled::New(car) => {
                tracing::info!(car = %car.id, name = %car.name, "car enrolled");
                Ok(car)
            }
            Enrolled::Revoked => Err(RegisterError::Revoked),
            Enrolled::No => Err(RegisterError::NotEnrolled),
        }
    }

    async fn claim_car(
        &self,
        user: Name,
        car: CarRegistration,
    ) -> Result<EnrolledCar, AccountError> {
        let caps = self.caps;
        let claimed = self
            .db
            .run(move |store| store.claim(&car, &user, unix_now(), caps))
            .await
            .map_err(internal)?;
        match claimed {
            Claimed::Done(car) => Ok(car),
            Claimed::No => Err(AccountError::NoSuchCode),
            Claimed::TooManyCars => Err(too_many_cars(caps)),
        }
    }

    async fn revoke_car(&self, _: Name, car: CarId) -> Result<(), AccountError> {
        let revoked = self.db.run(move |store| store.revoke_car(&car, unix_now())).await;
        if revoked.map_err(internal)? { Ok(()) } else { Err(AccountError::NoSuchCar) }
    }

    async fn car_role(&self, person: Person, car: CarId) -> Result<Option<CarRole>, AccountError> {
        self.db.run(move |store| store.car_role(&person, &car)).await.map_err(internal)
    }

    async fn shares(&self, car: CarId) -> Result<SharesInfo, AccountError> {
        self.db.run(move |store| store.shares(&car)).await.map_err(internal)
    }

    async fn share(
        &self,
        _: Name,
        car: CarId,
        with: Option<Name>,
        role: Option<CarRole>,
    ) -> Result<EnrolledCar, AccountError> {
        let name = with.clone();
        let work = move |store: &mut db::Store| store.share(&car, with.as_ref(), role);
        check_sharing(self.db.run(work).await.map_err(internal)?, name.as_ref())
    }

    async fn rights(&self) -> Result<(Vec<EnrolledCar>, BTreeSet<Name>), AccountError> {
        let work = |store: &mut db::Store| Ok((store.enrolled_cars()?, store.admins()?));
        self.db.run(work).await.map_err(internal)
    }
}

/// Removes an account, for an admin or on the command line, and returns its name as it was stored.
/// The cars go to `heir`.
pub(crate) fn remove(
    store: &mut db::Store,
    name: &Name,
    heir: Option<&Name>,
) -> Result<Name, AccountError> {
    let account = |store: &db::Store, name: &Name| {
        let found = store.account(name.as_str()).map_err(internal)?;
        found.ok_or_else(|| AccountError::NoSuchUser(name.clone()))
    };
    let leaving = account(store, name)?;
    let heir = heir.map(|heir| account(store, heir)).transpose()?;
    let heir = heir.map(|heir| heir.id);
    if heir == Some(leaving.id) {
        return Err(AccountError::OwnHeir(leaving.name));
    }
    check_changed(store.remove_account(name.as_str(), heir).map_err(internal)?, &leaving.name)?;
    Ok(leaving.name)
}

pub(crate) fn check_changed(changed: db::Changed, name: &Name) -> Result<(), AccountError> {
    match changed {
        db::Changed::Done => Ok(()),
        db::Changed::NoSuchUser => Err(AccountError::NoSuchUser(name.clone())),
        db::Changed::LastAdmin => Err(AccountError::LastAdmin(name.clone())),
    }
}

pub(crate) fn check_sharing(
    sharing: Sharing,
    with: Option<&Name>,
) -> Result<EnrolledCar, AccountError> {
    match (sharing, with) {
        (Sharing::Done(car), _) => Ok(car),
        (Sharing::NoSuchUser, Some(name)) => Err(AccountError::NoSuchUser(name.clone())),
        (Sharing::NoSuchCar | Sharing::NoSuchUser, _) => Err(AccountError::NoSuchCar),
        (Sharing::TooMany, _) => Err(AccountError::TooMany(format!(
            "a car can be shared with {MOST_SHARES} accounts; share it with everybody, or with \
             fewer"
        ))),
    }
}

fn new_password_link() -> Result<(NewLink, TokenHash), AccountError> {
    let token = Token::generate().map_err(internal)?;
    let hash = token.hash();
    Ok((NewLink { token, expires_at: link_end() }, hash))
}

fn link_end() -> u64 {
    unix_now() + PASSWORD_LINK
}

/// Whether a token was made, in words for the person who wants it.
pub(crate) fn check_caps(made: db::Token, caps: Caps) -> Result<(), AccountError> {
    match made {
        db::Token::Made => Ok(()),
        db::Token::TooManyCars => Err(too_many_cars(caps)),
        db::Token::TooManyTokens => Err(AccountError::TooMany(format!(
            "{} tokens for new cars are open already; use them, or wait a day until they expire \
             (accounts.max_open_tokens in the host's configuration)",
            caps.max_open_tokens
        ))),
    }
}

fn too_many_cars(caps: Caps) -> AccountError {
    AccountError::TooMany(format!(
        "an account may have {} cars, those included for which it has a token \
         (accounts.max_cars in the host's configuration)",
        caps.max_cars
    ))
}

impl From<HashError> for AccountError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Busy,
            HashError::Failed(_) => Self::Internal(causes(&error).to_string()),
        }
    }
}

/// Errors that are the host's own: their text is for the log.
trait Fault: std::error::Error {}
impl Fault for DbError {}
impl Fault for getrandom::Error {}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn internal(error: impl Fault + 'static) -> AccountError {
    AccountError::Internal(causes(&error).to_string())
}
