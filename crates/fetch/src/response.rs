//! What a server answered.

use crate::body::Body;

/// What a server answered: any status but redirects, 429 and 5xx.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status, such as 200, 206, 304 or 404.
    pub status: u16,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
    /// `Content-Length`: of the part, where a part was sent.
    pub content_length: Option<u64>,
    /// Where the part begins: always what was asked for, and set only with status 206.
    pub content_range_start: Option<u64>,
    /// Size of the whole, where the server says so in `Content-Range`.
    pub content_range_total: Option<u64>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `WWW-Authenticate`, which a registry answers 401 with; several are joined by commas.
    pub authenticate: Option<String>,
    /// `Docker-Content-Digest`: what a registry says that the digest of the content is.
    pub content_digest: Option<String>,
    /// `Location`, as an absolute URL: where an upload goes on (status 202).
    pub location: Option<String>,
    /// `OCI-Subject`: the registry lists the manifest among what refers to this digest.
    pub subject: Option<String>,
    /// The content.
    pub body: Body,
}
