//! What a vulnerability concerns: which running containers, and which known images.
//!
//! Every image that an engine of this machine holds, every image that a container was made from, and
//! every image that was sealed here is matched anew, so that the answer is by the advisories of today.
//! Ignore rules have no say: they are about what to do, not about what is so. What could not be read
//! is listed, and then the answer is never that nothing is affected.

mod answer;
mod holdings;
mod id;

pub use answer::Question;
pub use holdings::Holdings;
pub use id::Id;
