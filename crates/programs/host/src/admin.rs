//! Commands that work on the database, whether or not the host runs. A running host notices within
//! a second.

use crate::accounts::{self, check_caps, check_changed, check_sharing};
use crate::cli::{CarCommand, UserCommand};
use crate::config::Config;
use crate::db::{DbError, LinkKind, Store, unix_now};
use crate::lifetimes::{ENROLMENT, PASSWORD_LINK, SIGN_IN_LINK};
use crate::password::{HashError, Memory};
use crate::password_rules::check_password;
use crate::releases::ShelfError;
use rccar_daemon::cli::{OutputError, print};
use rccar_protocol::text::{CarId, Name};
use rccar_site::{
    AccountError, CarUrlError, Password, PublicUrl, ReleaseError, Token, provision_file,
};
use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("there is no user {0}; `rccar-host user list` shows all")]
    NoSuchUser(Name),
    #[error("there is a user {0} already")]
    UserExists(Name),
    #[error("there is no enrolled car {0}; `rccar-host car list` shows all")]
    NoSuchCar(CarId),
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error("cannot read {}", .path.display())]
    Bundle { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(
        "the address under which cars find this host is not known: say \
         --url http://192.168.1.20:8080 (this machine's own address), or \
         set http.public_url in the configuration"
    )]
    AddressNeeded,
    #[error(transparent)]
    Address(#[from] CarUrlError),
    #[error("no randomness")]
    Random(#[from] getrandom::Error),
    #[error("cannot read the standard input")]
    Input(#[from] io::Error),
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Prints a one-time link.
pub(crate) fn sign_in_link(config: &Config, user: &Name) -> Result<(), AdminError> {
    let mut store = Store::open(&config.database.path)?;
    let account =
        store.account(user.as_str())?.ok_or_else(|| AdminError::NoSuchUser(user.clone()))?;
    let token = Token::generate()?;
    let most = config.accounts.max_open_links;
    let expires = unix_now() + SIGN_IN_LINK;
    store.add_link(token.hash(), account.id, LinkKind::SignIn, expires, most)?;
    Ok(print(&format!("{}/#/link?token={}\n", config.url(), token.as_str()))?)
}

/// Prints a one-time link by which a user chooses a new password.
pub(crate) fn password_link(config: &Config, user: &Name) -> Result<(), AdminError> {
    let mut store = Store::open(&config.database.path)?;
    let account =
        store.account(user.as_str())?.ok_or_else(|| AdminError::NoSuchUser(user.clone()))?;
    let token = Token::generate()?;
    let expires = unix_now() + PASSWORD_LINK;
    store.add_link(token.hash(), account.id, LinkKind::Password, expires, 1)?;
    Ok(print(&format!("{}/#/password?token={}\n", config.url(), token.as_str()))?)
}

/// Prints the file for a new car's card.
pub(crate) fn enrol(
    config: &Config,
    name: Option<&Name>,
    owner: Option<&Name>,
    url: Option<PublicUrl>,
    json: bool,
) -> Result<(), AdminError> {
    if let Some(url) = &url {
        url.check_for_cars(config.http.public_url.as_ref())?;
    }
    let url = url.or_else(|| config.url_for_cars()).map(|url| url.to_string());
    if url.is_none() && !json {
        return Err(AdminError::AddressNeeded);
    }
    let mut store = Store::open(&config.database.path)?;
    let (token, now, caps) = (Token::generate()?, unix_now(), config.accounts);
    let expires_at = now + ENROLMENT;
    if let Some(owner) = owner {
        store.account(owner.as_str())?.ok_or_else(|| AdminError::NoSuchUser(owner.clone()))?;
    }
    let (hash, owner) = (token.hash(), owner.map(Name::as_str));
    check_caps(store.add_enrolment(hash, owner, name, (now, expires_at), caps)?, caps)?;
    let file = provision_file(url.as_deref(), token.as_str(), name.map(Name::as_str));
    let here = url.clone().unwrap_or_else(|| config.url());
    let lines = format!("[host]\nurl = \"{here}\"\nenrolment = \"{}\"\n", token.as_str());
    if json {
        let token = token.as_str();
        let object = serde_json::json!({
            "token": token, "expires_at": expires_at, "url": url,
            "config": lines, "provision": file,
        });
        return Ok(print(&format!("{object}\n"))?);
    }
    Ok(print(&file)?)
}

pub(crate) fn user(config: &Config, command: &UserCommand) -> Result<(), AdminError> {
    let mut store = Store::open(&config.database.path)?;
    match command {
        UserCommand::Add { name, password_stdin } => {
            let password = if *password_stdin { Some(read_password(name)?) } else { None };
            let added = store.add_account(name, password.as_deref(), unix_now())?;
            added.map(drop).ok_or_else(|| AdminError::UserExists(name.clone()))
        }
        UserCommand::List => store
            .people(unix_now())?
            .iter()
            .try_for_each(|one| Ok(print(&format!("{}\t{}\n", one.name, one.role))?)),
        UserCommand::Role { name, role } => {
            Ok(check_changed(store.set_role(name.as_str(), role.role())?, name)?)
        }
        UserCommand::Remove { name, cars_to } => {
            let removed = accounts::remove(&mut store, name, cars_to.as_ref());
            removed.map(drop).map_err(|error| match error {
                AccountError::NoSuchUser(name) => AdminError::NoSuchUser(name),
                error => error.into(),
            })
        }
    }
}

pub(crate) fn car(config: &Config, command: &CarCommand) -> Result<(), AdminError> {
    let mut store = Store::open(&config.database.path)?;
    match command {
        CarCommand::List => store.cars()?.iter().try_for_each(|car| {
            let owner = car.owner.as_deref().unwrap_or("-");
            let state = if car.revoked { "revoked" } else { "enrolled" };
            Ok(print(&format!("{}\t{}\t{owner}\t{state}\n", car.id, car.name))?)
        }),
        CarCommand::Share { id, with, role } => {
            let (with, role) = (with.name(), role.role());
            let shared = store.share(id, with.as_ref(), role)?;
            check_sharing(shared, with.as_ref()).map(drop).map_err(|error| match error {
                AccountError::NoSuchCar => AdminError::NoSuchCar(id.clone()),
                AccountError::NoSuchUser(name) => AdminError::NoSuchUser(name),
                error => error.into(),
            })
        }
        CarCommand::Revoke { id } => store
            .revoke_car(id, unix_now())?
            .then_some(())
            .ok_or_else(|| AdminError::NoSuchCar(id.clone())),
    }
}

/// Reads one line from the standard input; the result is the hash of that password.
fn read_password(user: &Name) -> Result<String, AdminError> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let password = Password(line.trim_end_matches(['\r', '\n']).to_owned());
    check_password(&password, user)?;
    Ok(Memory::reserve().hash(&password)?)
}
