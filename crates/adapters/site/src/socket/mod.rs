//! WebSockets: the upgrade, and a task for each socket.

mod car;
mod driver;
mod upgrade;
mod wire;

pub(crate) use car::car_socket;
pub(crate) use driver::driver_socket;
