//! The car as QEMU's vhost-user devices: what goes through a queue of the card ends up at [`Car`].

mod gpio;
mod i2c;

use crate::car::Car;
use std::io;
use std::sync::{Arc, Mutex, RwLock};
use vhost::vhost_user::Listener;
use vhost::vhost_user::message::{VhostUserProtocolFeatures, VhostUserVirtioFeatures};
use vhost_user_backend::{VhostUserBackendMut, VhostUserDaemon, VringRwLock, VringT};
use virtio_queue::{DescriptorChain, QueueOwnedT};
use vm_memory::{GuestAddressSpace, GuestMemoryAtomic, GuestMemoryLoadGuard, GuestMemoryMmap};
use vmm_sys_util::epoll::EventSet;
use vmm_sys_util::event::{
    EventConsumer, EventFlag, EventNotifier, new_event_consumer_and_notifier,
};

pub use gpio::Gpio;
pub use i2c::I2c;

/// `VIRTIO_F_VERSION_1` (virtio 1.3, section 6).
const VERSION_1: u64 = 1 << 32;
/// Requests of the card that fit into a queue: what QEMU sets up for a controller.
const QUEUE: usize = 1024;
/// Bytes of a request that are looked at. The longest of the card's is a block of the bus: 32
/// bytes and a register.
const LONGEST: usize = 4096;

type Memory = GuestMemoryAtomic<GuestMemoryMmap>;
type Chain = DescriptorChain<GuestMemoryLoadGuard<GuestMemoryMmap>>;

/// A kind of device: what it is, and how it answers a request.
pub trait Device: Send + Sync {
    /// Of virtio, beside `VIRTIO_F_VERSION_1`.
    const FEATURES: u64;
    const QUEUES: usize;

    /// What the driver reads of the device's configuration.
    fn config(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Answers a request with as many bytes as there is `room` for.
    fn answer(&mut self, car: &Mutex<Car>, request: &[u8], room: usize) -> Vec<u8>;

    /// A run of requests begins.
    fn begin(&mut self) {}

    /// The card was reset, or the emulator has ended.
    fn let_go(&mut self, _car: &Mutex<Car>) {}
}

/// A device at a car, as the crate `vhost-user-backend` wants it.
struct Backend<D> {
    device: D,
    car: Arc<Mutex<Car>>,
    memory: Memory,
}

/// Serves one emulator after the other.
///
/// # Errors
/// If the socket cannot be made, or breaks.
pub fn serve<D, F>(path: &std::path::Path, car: &Arc<Mutex<Car>>, device: F) -> io::Result<()>
where
    D: Device + 'static,
    F: Fn() -> D,
{
    let mut listener = Listener::new(path, true).map_err(io::Error::other)?;
    loop {
        let memory = Memory::new(GuestMemoryMmap::new());
        let backend = Arc::new(RwLock::new(Backend {
            device: device(),
            car: Arc::clone(car),
            memory: memory.clone(),
        }));
        let name = path.display().to_string();
        let mut daemon =
            VhostUserDaemon::new(name, Arc::clone(&backend), memory).map_err(broken)?;
        daemon.start(&mut listener).map_err(broken)?;
        // However it ends: the emulator was killed, as stories do.
        if let Err(error) = daemon.wait() {
            eprintln!("{}: {error}", path.display());
        }
        let mut backend = backend.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Backend { device, car, .. } = &mut *backend;
        device.let_go(car);
    }
}

/// Its error is none of the standard library's kind.
#[allow(clippy::needless_pass_by_value, reason = "as `map_err` wants it")]
fn broken(error: vhost_user_backend::Error) -> io::Error {
    io::Error::other(error.to_string())
}

impl<D: Device> Backend<D> {
    /// Answers all that is in a queue. Whether there was anything.
    fn serve(&mut self, vring: &VringRwLock) -> io::Result<bool> {
        let chains: Vec<Chain> = vring
            .get_mut()
            .get_queue_mut()
            .iter(self.memory.memory())
            .map_err(io::Error::other)?
            .collect();
        self.device.begin();
        let any = !chains.is_empty();
        for chain in chains {
            let head = chain.head_index();
            let memory = self.memory.memory();
            let mut reader = chain.clone().reader(&memory).map_err(io::Error::other)?;
            let mut request = vec![0; reader.available_bytes().min(LONGEST)];
            io::Read::read_exact(&mut reader, &mut request)?;
            let mut writer = chain.writer(&memory).map_err(io::Error::other)?;
            let room = writer.available_bytes().min(LONGEST);
            let answer = self.device.answer(&self.car, &request, room);
            io::Write::write_all(&mut writer, &answer)?;
            let length = u32::try_from(answer.len()).unwrap_or_default();
            vring.add_used(head, length).map_err(io::Error::other)?;
            vring.signal_used_queue()?;
        }
        Ok(any)
    }
}

impl<D: Device> VhostUserBackendMut for Backend<D> {
    type Bitmap = ();
    type Vring = VringRwLock;

    fn num_queues(&self) -> usize {
        D::QUEUES
    }

    fn max_queue_size(&self) -> usize {
        QUEUE
    }

    fn features(&self) -> u64 {
        VERSION_1 | D::FEATURES | VhostUserVirtioFeatures::PROTOCOL_FEATURES.bits()
    }

    fn protocol_features(&self) -> VhostUserProtocolFeatures {
        let mut features = VhostUserProtocolFeatures::MQ;
        // QEMU warns of a configuration where it expects none.
        features.set(VhostUserProtocolFeatures::CONFIG, !self.device.config().is_empty());
        features
    }

    fn set_event_idx(&mut self, _: bool) {}

    fn get_config(&self, offset: u32, size: u32) -> Vec<u8> {
        let (offset, size) = (offset as usize, size as usize);
        let mut config = self.device.config();
        config.resize(config.len().max(offset.saturating_add(size).min(LONGEST)), 0);
        config.get(offset..offset + size).map_or(Vec::new(), <[u8]>::to_vec)
    }

    fn update_memory(&mut self, memory: Memory) -> io::Result<()> {
        self.memory = memory;
        Ok(())
    }

    fn reset_device(&mut self) {
        self.device.let_go(&self.car);
    }

    fn exit_event(&self, _: usize) -> Option<(EventConsumer, EventNotifier)> {
        new_event_consumer_and_notifier(EventFlag::NONBLOCK).ok()
    }

    /// The first queue has the requests. The second one of a GPIO chip has interrupts, which this
    /// one does not offer.
    fn handle_event(
        &mut self,
        queue: u16,
        _: EventSet,
        vrings: &[VringRwLock],
        _: usize,
    ) -> io::Result<()> {
        if queue == 0
            && let Some(vring) = vrings.first()
        {
            while self.serve(vring)? {}
        }
        Ok(())
    }
}
