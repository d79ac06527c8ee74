//! Accounts in memory.

use super::name;
use rccar_protocol::signaling::CarRole;
use rccar_protocol::text::{CarId, Name};
use rccar_site::{
    AccountError, Backend, CarRegistration, Credentials, EndedSignIns, EnrolledCar, Enrolment,
    Mode, NewSignIn, Password, Person, RegisterError, Role, SignedIn, Token, TokenHash,
};
use std::collections::HashMap;
use std::sync::Mutex;

/// Every user exists, all with the password `right password`; the only link is `link`, the only
/// admin `Root`.
#[derive(Default)]
pub struct TestBackend {
    pub sign_ins: Mutex<HashMap<TokenHash, Name>>,
    pub cars: Mutex<Vec<EnrolledCar>>,
    pub enrolments: Mutex<Vec<TokenHash>>,
}

impl TestBackend {
    fn add_sign_in(&self, sign_in: &NewSignIn, user: Name) -> Result<SignedIn, AccountError> {
        self.sign_ins.lock().unwrap().insert(sign_in.hash, user.clone());
        Ok(SignedIn { user, ended: Vec::new() })
    }
}

impl Backend for TestBackend {
    fn mode(&self) -> Mode {
        Mode::Host
    }

    async fn setup_required(&self) -> Result<bool, AccountError> {
        Ok(false)
    }

    async fn sign_in(
        &self,
        credentials: Credentials,
        sign_in: NewSignIn,
    ) -> Result<SignedIn, AccountError> {
        match credentials {
            Credentials::Password { name, password }
                if password == Password("right password".into()) =>
            {
                self.add_sign_in(&sign_in, name)
            }
            _ => Err(AccountError::WrongCredentials),
        }
    }

    async fn set_up(
        &self,
        _: TokenHash,
        _: Name,
        _: Password,
        _: NewSignIn,
    ) -> Result<SignedIn, AccountError> {
        Err(AccountError::SetUpAlready)
    }

    async fn link(&self, token: TokenHash, sign_in: NewSignIn) -> Result<SignedIn, AccountError> {
        if token == TokenHash::of("link") {
            self.add_sign_in(&sign_in, name("Ada"))
        } else {
            Err(AccountError::WrongToken)
        }
    }

    async fn who(&self, sign_in: TokenHash) -> Result<Option<Person>, AccountError> {
        let name = self.sign_ins.lock().unwrap().get(&sign_in).cloned();
        let role = |name: &Name| if name.as_str() == "Root" { Role::Admin } else { Role::Member };
        Ok(name.map(|name| Person { role: role(&name), name }))
    }

    async fn sign_out(&self, sign_in: TokenHash) -> Result<(), AccountError> {
        self.sign_ins.lock().unwrap().remove(&sign_in);
        Ok(())
    }

    async fn end_other_sign_ins(
        &self,
        user: Name,
        this: TokenHash,
    ) -> Result<EndedSignIns, AccountError> {
        let is_other = |hash: &TokenHash, name: &mut Name| *name == user && *hash != this;
        Ok(self.sign_ins.lock().unwrap().extract_if(is_other).map(|(hash, _)| hash).collect())
    }

    async fn change_password(
        &self,
        user: Name,
        this: TokenHash,
        present: Password,
        _: Password,
    ) -> Result<EndedSignIns, AccountError> {
        if present != Password("right password".into()) {
            return Err(AccountError::WrongPassword);
        }
        self.end_other_sign_ins(user, this).await
    }

    async fn enrol(&self, _: Name, _: Option<Name>) -> Result<Enrolment, AccountError> {
        let token = Token::generate().unwrap();
        self.enrolments.lock().unwrap().push(token.hash());
        Ok(Enrolment { token, expires_at: 1_800_000_000 })
    }

    async fn register_car(&self, car: CarRegistration) -> Result<EnrolledCar, RegisterError> {
        let mut cars = self.cars.lock().unwrap();
        if let Some(known) = cars.iter().find(|known| known.id == car.key.id()) {
            return Ok(known.clone());
        }
        let mut enrolments = self.enrolments.lock().unwrap();
        let token = enrolments
            .iter()
            .position(|token| Some(*token) == car.enrolment)
            .ok_or(RegisterError::NotEnrolled)?;
        enrolments.remove(token);
        let known = EnrolledCar {
            id: car.key.id(),
            name: car.name,
            owner: None,
            shared: Default::default(),
        };
        cars.push(known.clone());
        Ok(known)
    }

    async fn claim_car(
        &self,
        user: Name,
        car: CarRegistration,
    ) -> Result<EnrolledCar, AccountError> {
        let known = EnrolledCar {
            id: car.key.id(),
            name: car.name,
            owner: Some(user),
            shared: Default::default(),
        };
        self.cars.lock().unwrap().push(known.clone());
        Ok(known)
    }

    async fn revoke_car(&self, _: Name, car: CarId) -> Result<(), AccountError> {
        self.cars.lock().unwrap().retain(|known| known.id != car);
        Ok(())
    }

    async fn car_role(&self, person: Person, car: CarId) -> Result<Option<CarRole>, AccountError> {
        let cars = self.cars.lock().unwrap();
        let car = cars.iter().find(|known| known.id == car).ok_or(AccountError::NoSuchCar)?;
        if person.role == Role::Admin || car.owner.as_ref() == Some(&person.name) {
            return Ok(Some(CarRole::Owner));
        }
        Ok(car.shared.people.get(&person.name).copied().or(car.shared.everybody))
    }
}
