//! Keys, identifiers and signatures: `identity.json`.

use super::load;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rccar_protocol::identity::{CarKey, Nonce, Signature, registration_message};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    secret: String,
    key: CarKey,
    id: String,
    host: String,
    nonce: Nonce,
    message: String,
    signature: Signature,
}

#[test]
fn a_key_gives_the_car_id_that_the_vectors_say() {
    for vector in load::<Vector>("identity.json") {
        assert_eq!(vector.key.id().as_str(), vector.id, "{}", vector.name);
    }
}

#[test]
fn what_a_car_signs_is_what_the_vectors_say() {
    for vector in load::<Vector>("identity.json") {
        let message = registration_message(&vector.host, &vector.nonce);
        assert_eq!(hex::encode(message), vector.message, "{}", vector.name);
    }
}

#[test]
fn signatures_are_those_of_the_vectors_and_verify() {
    for vector in load::<Vector>("identity.json") {
        let secret =
            SigningKey::from_bytes(&hex::decode(&vector.secret).unwrap().try_into().unwrap());
        assert_eq!(secret.verifying_key().to_bytes(), vector.key.0, "{}", vector.name);
        let message = registration_message(&vector.host, &vector.nonce);
        assert_eq!(secret.sign(&message).to_bytes(), vector.signature.0, "{}", vector.name);
        let signature = ed25519_dalek::Signature::from_bytes(&vector.signature.0);
        VerifyingKey::from_bytes(&vector.key.0)
            .unwrap()
            .verify_strict(&message, &signature)
            .expect(&vector.name);
    }
}
