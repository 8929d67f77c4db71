//! The library as its users see it. `examples`: each program runs and prints what it says. `loads`: formats, options and
//! stops. `stops`: what is stopped leaves nothing. `views`: handles, times and answers. `models`: training that is stopped, and questions by name.
#![allow(clippy::unwrap_used, missing_docs)]

mod examples;
mod loads;
mod models;
mod stops;
mod views;
