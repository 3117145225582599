//! Records a signed baseline of an image and verifies a subject against it.
