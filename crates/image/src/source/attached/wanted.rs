//! What is asked of that which is attached to an image.

/// The type of an OpenVEX document.
const OPENVEX: &str = "application/vnd.openvex+json";
/// Types of bills. Sources: IANA's registry; cosign, `specs/SBOM_SPEC.md`; Syft.
const BILLS: [&str; 12] = [
    "application/vnd.cyclonedx",
    "application/vnd.cyclonedx+json",
    "application/vnd.cyclonedx+xml",
    "application/spdx+json",
    "application/spdx",
    "application/vnd.spdx+json",
    "text/spdx",
    "text/spdx+json",
    "text/spdx+xml",
    "application/vnd.syft+json",
    "application/vnd.github.dependency-snapshot+json",
    "application/vnd.lazaret.packages+json",
];
/// How the predicate types of OpenVEX begin; a version may follow.
const VEX_PREDICATE: &str = "https://openvex.dev/ns";
/// And those of bills. Sources: in-toto attestation framework, "Predicates"; Syft, `attest`.
const BILL_PREDICATES: [&str; 5] = [
    "https://spdx.dev/Document",
    "https://spdx.github.io/spdx-spec",
    "https://cyclonedx.org/bom",
    "https://cyclonedx.org/specification",
    "https://syft.dev/bom",
];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// OpenVEX documents.
    Vex,
    /// Bills of materials.
    Bills,
}

impl Wanted {
    /// Bytes of one document. The VEX of a distribution's whole image has some hundred KiB, the bill of
    /// one with 10,000 packages some 30 MiB.
    pub(super) const fn bytes_of_one(self) -> u64 {
        match self {
            Self::Vex => 8 << 20,
            Self::Bills => 64 << 20,
        }
    }

    /// Bytes of all of them.
    pub(super) const fn bytes_of_all(self) -> u64 {
        match self {
            Self::Vex => 32 << 20,
            Self::Bills => 128 << 20,
        }
    }

    /// Whether a media type is that of a document; parameters may follow it.
    pub(super) fn is_type(self, text: &str) -> bool {
        let kind = text.split(';').next().unwrap_or_default().trim();
        match self {
            Self::Vex => kind.eq_ignore_ascii_case(OPENVEX),
            Self::Bills => BILLS.iter().any(|bill| kind.eq_ignore_ascii_case(bill)),
        }
    }

    /// Whether a statement of this predicate holds one.
    pub(super) fn is_predicate(self, kind: &str) -> bool {
        match self {
            Self::Vex => kind.starts_with(VEX_PREDICATE),
            Self::Bills => BILL_PREDICATES.iter().any(|bill| kind.starts_with(bill)),
        }
    }
}
