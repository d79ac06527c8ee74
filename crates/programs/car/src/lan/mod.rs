//! The car's own page on the local network: the same page and protocol as a host's, with one car
//! and one access code.

mod near;

use crate::config::{AccessCode, Config};
use crate::host_status;
use crate::host_url::HostUrl;
use crate::messages::{Incoming, Outgoing};
use crate::session::SessionContext;
use rccar_car_core::lease::Source;
use rccar_car_core::registration::Standing;
use rccar_causes::causes;
use rccar_daemon::files::{self, FileError};
use rccar_daemon::shutdown;
use rccar_protocol::access_code::weakness;
use rccar_protocol::text::{CarId, Name};
use rccar_rooms::EnrolledCar;
use rccar_site::{
    AccountError, Backend, CarRegistration, CarStatus, Credentials, Enrolment, Exchange, Mode,
    NewSignIn, NoIceServers, Options, Password, Person, Provision, RegisterError, Role, Shared,
    SignedIn, TokenHash, Viewer, router, serve,
};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};

#[derive(Debug, thiserror::Error)]
pub(crate) enum LanError {
    #[error("cannot listen on {0} (`lan.listen`)")]
    Listen(SocketAddr, #[source] std::io::Error),
    #[error("cannot use the access code")]
    Code(#[from] FileError),
    #[error("{} does not hold an access code: {why}; remove it to make a new one", .path.display())]
    Damaged { path: PathBuf, why: String },
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Serves the page and connects it to the lease.
pub(crate) async fn start(
    config: &Config,
    context: &SessionContext,
    (standing, redirected): (watch::Receiver<Standing>, watch::Receiver<Option<String>>),
    incoming: mpsc::Sender<Incoming>,
) -> Result<Outgoing, LanError> {
    let code = access_code(config)?;
    let mut listeners = Vec::new();
    for &address in &config.lan.listen {
        listeners.push(
            TcpListener::bind(address).await.map_err(|error| LanError::Listen(address, error))?,
        );
        tracing::info!("the car's own page is on http://{address}");
    }
    let exchange = Exchange::start(
        rccar_rooms::Options::new(context.software.clone()),
        Arc::new(NoIceServers),
    );
    let car = EnrolledCar {
        id: context.car.clone(),
        name: context.name.clone(),
        owner: None,
        shared: Shared::default(),
    };
    let (messages, mut from_exchange) =
        exchange.attach_local_car(car, context.software.clone()).await;
    tokio::spawn(async move {
        while let Some(message) = from_exchange.recv().await {
            if incoming.send(Incoming { source: Source::Lan, message }).await.is_err() {
                break;
            }
        }
    });
    let about = About {
        car: context.car.clone(),
        name: context.name.clone(),
        host: config.host.url.as_ref().map(HostUrl::origin),
        standing,
        redirected,
        provision: config.car.runtime_dir.join("provision.json"),
    };
    let options = Options { admits: near::may_connect, ..Options::new(context.software.clone()) };
    let page = router(exchange.clone(), Arc::new(AccessCodeBackend::new(&code, about)), options);
    tokio::spawn(async move {
        Box::pin(serve(listeners, page, shutdown::signal())).await;
        exchange.shutdown().await;
    });
    // This way is always up: the page is part of the program.
    let (_, up) = watch::channel(true);
    Ok(Outgoing { messages, up, pulse: None })
}

/// The configured code, unless it is too easy to guess, or the one that the car makes for itself at
/// the first start.
fn access_code(config: &Config) -> Result<AccessCode, LanError> {
    let path = config.car.state_dir.join("access-code");
    if let Some(code) = config.lan.access_code.clone() {
        let Some(why) = code.weakness() else { return Ok(code) };
        tracing::error!(
            path = %path.display(),
            why,
            "`lan.access_code` is too easy to guess; the code in this file counts instead"
        );
    }
    if let Some(content) = files::read(&path)? {
        let text = String::from_utf8_lossy(&content).trim().to_owned();
        return AccessCode::try_from(text).map_err(|why| LanError::Damaged { path, why });
    }
    let mut text = random_code()?;
    while weakness(&text).is_some() {
        text = random_code()?;
    }
    files::write(&path, text.as_bytes())?;
    tracing::info!(
        path = %path.display(),
        "made the access code of the car's own page; read it there"
    );
    AccessCode::try_from(text).map_err(|why| LanError::Damaged { path, why })
}

/// No letters or digits that look alike; 10 of 32 make 50 bits.
fn random_code() -> Result<String, LanError> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(LanError::Random)?;
    let letter = |byte| char::from(b"abcdefghijkmnpqrstuvwxyz23456789"[usize::from(byte & 31)]);
    Ok(random.into_iter().map(letter).collect())
}

/// The page's only account, for everybody who knows the code. Sign-ins last until the program ends.
struct AccessCodeBackend {
    code: TokenHash,
    sign_ins: Mutex<BTreeSet<[u8; 32]>>,
    about: About,
}

/// Sources of the car's status on the page.
struct About {
    car: CarId,
    name: Name,
    host: Option<String>,
    standing: watch::Receiver<Standing>,
    /// The address to which the host's own sends the car.
    redirected: watch::Receiver<Option<String>>,
    /// File of rccar-provision's report about the card.
    provision: PathBuf,
}

impl About {
    fn status(&self) -> CarStatus {
        let standing = self.standing.borrow().clone();
        CarStatus {
            near: true,
            car: Some(self.car.clone()),
            name: Some(self.name.clone()),
            claim: host_status::claim(&standing),
            host: self.host.clone().map(|url| {
                host_status::status(&standing, url, self.redirected.borrow().as_deref())
            }),
            provision: self.provision(),
        }
    }

    /// `None` if there is no report, as in the demo, or if it cannot be read.
    fn provision(&self) -> Option<Provision> {
        let content = files::read(&self.provision)
            .inspect_err(
                |error| tracing::warn!(error = %causes(error), "what is known of the card"),
            )
            .ok()??;
        serde_json::from_slice(&content)
            .inspect_err(
                |error| tracing::warn!(error = %causes(error), "provision.json cannot be read"),
            )
            .ok()
    }
}

/// More sign-ins than the people around one car need. Beyond it all are forgotten, and everybody
/// signs in again.
const MAX_SIGN_INS: usize = 256;

impl AccessCodeBackend {
    fn new(code: &AccessCode, about: About) -> Self {
        Self { code: TokenHash::of(code.as_str()), sign_ins: Mutex::default(), about }
    }

    fn user() -> Result<Name, AccountError> {
        Name::new("local").map_err(|error| AccountError::Internal(error.to_string()))
    }
}

impl Backend for AccessCodeBackend {
    fn mode(&self) -> Mode {
        Mode::Car
    }

    async fn setup_required(&self) -> Result<bool, AccountError> {
        Ok(false)
    }

    async fn sign_in(
        &self,
        credentials: Credentials,
        sign_in: NewSignIn,
    ) -> Result<SignedIn, AccountError> {
        let Credentials::Code(code) = credentials else { return Err(AccountError::NotOffered) };
        // Hashes are compared, so that the time that this takes says nothing about the code.
        if TokenHash::of(&code.0) != self.code {
            return Err(AccountError::WrongCredentials);
        }
        let mut sign_ins = self.sign_ins.lock().await;
        if sign_ins.len() >= MAX_SIGN_INS {
            sign_ins.clear();
        }
        sign_ins.insert(sign_in.hash.0);
        Ok(SignedIn { user: Self::user()?, ended: Vec::new() })
    }

    async fn set_up(
        &self,
        _: TokenHash,
        _: Name,
        _: Password,
        _: NewSignIn,
    ) -> Result<SignedIn, AccountError> {
        Err(AccountError::NotOffered)
    }

    async fn link(&self, _: TokenHash, _: NewSignIn) -> Result<SignedIn, AccountError> {
        Err(AccountError::NotOffered)
    }

    async fn who(&self, sign_in: TokenHash) -> Result<Option<Person>, AccountError> {
        if self.sign_ins.lock().await.contains(&sign_in.0) {
            // Whoever has the access code stands in for the owner.
            Self::user().map(|name| Some(Person { name, role: Role::Admin }))
        } else {
            Ok(None)
        }
    }

    async fn sign_out(&self, sign_in: TokenHash) -> Result<(), AccountError> {
        self.sign_ins.lock().await.remove(&sign_in.0);
        Ok(())
    }

    async fn enrol(&self, _: Name, _: Option<Name>) -> Result<Enrolment, AccountError> {
        Err(AccountError::NotOffered)
    }

    async fn register_car(&self, _: CarRegistration) -> Result<EnrolledCar, RegisterError> {
        Err(RegisterError::NotEnrolled)
    }

    async fn status(&self, viewer: Viewer) -> Option<CarStatus> {
        let near = viewer.signed_in || (viewer.local_name && near::is_near(viewer.address));
        Some(if near { self.about.status() } else { CarStatus::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_12_a_weak_code_of_the_configuration_gives_way_to_a_generated_one() {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.car.state_dir = directory.path().to_owned();
        let mut with = |code: &str| {
            config.lan.access_code = Some(AccessCode::try_from(code.to_owned()).unwrap());
            access_code(&config).unwrap().as_str().to_owned()
        };
        let made = with("open sesame");
        assert_eq!(weakness(&made), None);
        assert_eq!(with("12345678"), made, "kept");
        assert_eq!(with("seven plum tractors"), "seven plum tractors");
        let file = std::fs::read_to_string(directory.path().join("access-code")).unwrap();
        assert_eq!(file, made);
    }
}
