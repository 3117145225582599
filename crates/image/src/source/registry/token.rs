//! Exchanges credentials for a token that reads, or writes, one repository.
//!
//! Sources: Docker's "Token Authentication Specification" (GET, with name and password or
//! anonymously) and "Authenticate with OAuth2" (POST, with a refresh token). Only `pull` of the one
//! repository is asked for, and `push` where the user said to push, whatever the registry's challenge
//! suggests.

use super::credentials::{Credential, Secret};
use super::session::Registry;
use crate::error::RegistryError;
use fetch::Request;
use serde::Deserialize;

/// Bytes of a token service's answer.
const ANSWER_BYTES: u64 = 1 << 20;

/// Bytes of a token. HTTP servers take no longer headers.
const TOKEN_BYTES: usize = 32 << 10;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
}

/// Asks the service that the registry names. What comes back is the value of `Authorization`.
pub(super) fn ask(
    registry: &Registry,
    realm: &str,
    service: Option<&str>,
    credential: Option<&Credential>,
) -> Result<Secret, RegistryError> {
    check_realm(registry, realm)?;
    let mut parameters = vec![("scope", registry.scope())];
    parameters.extend(service.map(|service| ("service", service.to_owned())));
    let mut request = Request {
        max_bytes: ANSWER_BYTES,
        https_only: true,
        named_by: Some(registry.server().to_owned()),
        ..Request::default()
    };
    let response = match credential {
        Some(Credential::Refresh(token)) => {
            parameters.push(("grant_type", "refresh_token".to_owned()));
            parameters.push(("client_id", "lazaret".to_owned()));
            parameters.push(("refresh_token", token.reveal().to_owned()));
            registry.client().post_form(realm, &encode(&parameters), &request)
        }
        other => {
            if let Some(Credential::Password { username, password }) = other {
                let value = Credential::basic(username, password);
                request.headers.push(("authorization".to_owned(), value.reveal().to_owned()));
            }
            let divider = if realm.contains('?') { '&' } else { '?' };
            registry.client().get(&format!("{realm}{divider}{}", encode(&parameters)), &request)
        }
    };
    let response = response.map_err(|error| registry.failed(error))?;
    match response.status {
        200..=299 => {}
        _ if credential.is_some() => return Err(registry.denied("does not take the credentials")),
        _ => return Err(registry.denied("gives no token without a login")),
    }
    let bytes = response.body.into_vec().map_err(|error| registry.broken(&error))?;
    let wrong = || registry.login("its token service does not answer with a token");
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    let token = answer.token.filter(|token| !token.is_empty()).or(answer.access_token);
    let token = token.filter(|token| {
        !token.is_empty()
            && token.len() <= TOKEN_BYTES
            && token.bytes().all(|byte| byte.is_ascii_graphic())
    });
    token.map(|token| Secret::new(format!("Bearer {token}"))).ok_or_else(wrong)
}

/// The service must be reached over TLS. Only a registry on this machine may name one on this machine
/// without: for any other that would be a way to make us ask what it cannot reach itself.
fn check_realm(registry: &Registry, realm: &str) -> Result<(), RegistryError> {
    let (scheme, rest) = realm.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') || realm.contains('#') {
        return Err(registry.login("the token service that it names is no proper URL"));
    }
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(()),
        "http" if registry.is_loopback() && fetch::is_loopback(host_of(authority)) => Ok(()),
        _ => Err(registry.login("the token service that it names is not https")),
    }
}

/// The host of `host[:port]`.
pub(super) fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// `application/x-www-form-urlencoded`: all but the letters that need no escape anywhere.
fn encode(parameters: &[(&str, String)]) -> String {
    let escape = |text: &str| {
        let mut escaped = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    escaped.push(char::from(byte));
                }
                _ => escaped.push_str(&format!("%{byte:02X}")),
            }
        }
        escaped
    };
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_escaped() {
        let pairs = [("scope", "repository:a/b:pull".to_owned()), ("service", "a&b=ü".to_owned())];
        assert_eq!(encode(&pairs), "scope=repository%3Aa%2Fb%3Apull&service=a%26b%3D%C3%BC");
        assert_eq!(host_of("[::1]:5000"), "::1");
        assert_eq!(host_of("localhost:5000"), "localhost");
    }
}
