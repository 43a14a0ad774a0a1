//! What to do about what a model server says.

use std::io;

use reqwest::StatusCode;
use rustls::AlertDescription;

use super::client::{Sent, has_authorities};
use crate::s3::Refusal;

/// What to do about an answer.
pub(super) fn of_answer(status: StatusCode, store: Option<&Refusal>, sent: Sent) -> &'static str {
    if let Some(remedy) = store.and_then(Refusal::remedy) {
        return remedy;
    }
    match (status, sent) {
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Sent::Withheld) => {
            "; it is not the server of modelAddress, and so got no credentials: write the final address into modelAddress"
        }
        (StatusCode::UNAUTHORIZED, Sent::None) => {
            "; it asks for credentials: give modelCredentials, or in a cluster modelCredentialsSecretRef"
        }
        (StatusCode::UNAUTHORIZED, Sent::Told) => {
            "; it does not take the credentials: check the files of modelCredentials, or in a cluster the Secret of \
             modelCredentialsSecretRef, and that they have not expired"
        }
        (StatusCode::FORBIDDEN, Sent::None) => {
            "; check that modelAddress may be read without credentials, and that a token in it has not expired, or give \
             modelCredentials, or in a cluster modelCredentialsSecretRef"
        }
        (StatusCode::FORBIDDEN, Sent::Told) => {
            "; check that the user or token of modelCredentials, or in a cluster of modelCredentialsSecretRef, may read \
             modelAddress"
        }
        (StatusCode::NOT_FOUND | StatusCode::GONE, Sent::None) => {
            "; check modelAddress, that the zip is uploaded there, and that it may be read without credentials"
        }
        (StatusCode::NOT_FOUND | StatusCode::GONE, _) => {
            "; check modelAddress, that the zip is uploaded there, and that the credentials may read it"
        }
        (StatusCode::BAD_REQUEST, Sent::None | Sent::Told) if store.is_none() => {
            "; some servers answer so if they want another client certificate: certFile and keyFile of modelCredentials, or \
             in a cluster the keys tls.crt and tls.key of the Secret of modelCredentialsSecretRef"
        }
        (StatusCode::PROXY_AUTHENTICATION_REQUIRED, _) => {
            "; write the proxy's user and password into HTTP_PROXY or HTTPS_PROXY"
        }
        _ => "",
    }
}

/// What to do about a certificate.
pub(super) fn of_certificate(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    // The libraries on the way wrap it as an error of the system, more than once.
    let mut within = error;
    while let Some(inner) = within
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        within = inner;
    }
    match within.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => {
            Some(if has_authorities() {
                "; name its authority's certificate in caFile of modelCredentials, or in a cluster put it into the key ca.crt \
                 of the Secret of modelCredentialsSecretRef"
            } else {
                // Otherwise the server's certificate seems to be the fault.
                "; this machine has no certificate authorities: install ca-certificates, name a file of them with \
                 SSL_CERT_FILE, or name this server's in caFile of modelCredentials"
            })
        }
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::CertificateUnknown
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::HandshakeFailure,
        ) => Some(
            "; check whether it asks for a client certificate: certFile and keyFile of modelCredentials, or in a cluster the \
             keys tls.crt and tls.key of the Secret of modelCredentialsSecretRef",
        ),
        _ => None,
    }
}
