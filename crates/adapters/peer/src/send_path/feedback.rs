//! Reads a report of arrivals (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use rccar_congestion::{FarMicros, Verdict};
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
};

/// Reference times come in units of 64 ms, in 24 bits: they wrap after 12 days.
const REFERENCE_UNIT: i64 = 64_000;
const REFERENCE_RANGE: i64 = 1 << 24;
/// More packets than any report of a browser tells of, and than are remembered.
const MOST: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Feedback {
    /// The last reference time, without wraps.
    reference: Option<i64>,
}

impl Feedback {
    /// What the report says of each packet. `next` is the number of the packet that is sent next.
    pub(super) fn read(&mut self, report: &TransportLayerCc, next: u64) -> Vec<Verdict> {
        let mut arrival = self.unwrap(report.reference_time) * REFERENCE_UNIT;
        let mut deltas = report.recv_deltas.iter();
        let symbols = report.packet_chunks.iter().flat_map(symbols);
        let mut seq = report.base_sequence_number;
        // The last chunk may be filled up with symbols that mean nothing.
        let mut verdicts = Vec::new();
        for symbol in symbols.take(usize::from(report.packet_status_count).min(MOST)) {
            let number = number(seq, next);
            seq = seq.wrapping_add(1);
            let arrived = match symbol {
                SymbolTypeTcc::PacketReceivedSmallDelta
                | SymbolTypeTcc::PacketReceivedLargeDelta => {
                    // A report without its times ends here.
                    let Some(delta) = deltas.next() else { break };
                    arrival = arrival.saturating_add(delta.delta);
                    Some(FarMicros(arrival))
                }
                SymbolTypeTcc::PacketNotReceived => None,
                // It came, and nobody knows when.
                SymbolTypeTcc::PacketReceivedWithoutDelta => continue,
            };
            verdicts.extend(number.map(|number| Verdict { number, arrival: arrived }));
        }
        verdicts
    }

    fn unwrap(&mut self, reference: u32) -> i64 {
        let reference = i64::from(reference) % REFERENCE_RANGE;
        let last = self.reference.unwrap_or(reference);
        // The nearest moment with these 24 bits.
        let ahead = (reference - last).rem_euclid(REFERENCE_RANGE);
        let step = if ahead > REFERENCE_RANGE / 2 { ahead - REFERENCE_RANGE } else { ahead };
        let unwrapped = last + step;
        self.reference = Some(unwrapped);
        unwrapped
    }
}

fn symbols(chunk: &PacketStatusChunk) -> Box<dyn Iterator<Item = SymbolTypeTcc> + '_> {
    match chunk {
        PacketStatusChunk::RunLengthChunk(run) => {
            Box::new(std::iter::repeat_n(run.packet_status_symbol, run.run_length.into()))
        }
        PacketStatusChunk::StatusVectorChunk(vector) => {
            Box::new(vector.symbol_list.iter().copied())
        }
    }
}

/// The packet with these 16 bits that was sent last; `None` if there was none.
fn number(seq: u16, next: u64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, reason = "the lowest 16 bits")]
    let behind = (next as u16).wrapping_sub(seq);
    match behind {
        0 => None,
        behind => next.checked_sub(behind.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
        RecvDelta, RunLengthChunk, StatusVectorChunk, SymbolSizeTypeTcc,
    };
    use rtc::shared::marshal::Unmarshal;

    const SMALL: SymbolTypeTcc = SymbolTypeTcc::PacketReceivedSmallDelta;
    const NOT: SymbolTypeTcc = SymbolTypeTcc::PacketNotReceived;

    fn delta(micros: i64) -> RecvDelta {
        RecvDelta { type_tcc_packet: SMALL, delta: micros }
    }

    fn vector(symbols: &[SymbolTypeTcc]) -> PacketStatusChunk {
        PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
            symbol_size: SymbolSizeTypeTcc::TwoBit,
            symbol_list: symbols.to_vec(),
            ..StatusVectorChunk::default()
        })
    }

    #[test]
    fn arrivals_gaps_and_the_filling_at_the_end_are_told_apart() {
        let report = TransportLayerCc {
            base_sequence_number: 65_534,
            packet_status_count: 5,
            reference_time: 10,
            packet_chunks: vec![
                PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                    packet_status_symbol: SMALL,
                    run_length: 2,
                    ..RunLengthChunk::default()
                }),
                vector(&[NOT, SMALL, SMALL, NOT, NOT, NOT, NOT]),
            ],
            recv_deltas: vec![delta(250), delta(500), delta(0), delta(1_000)],
            ..TransportLayerCc::default()
        };
        let verdicts = Feedback::default().read(&report, 65_600);
        let arrived = |number, at: i64| Verdict { number, arrival: Some(FarMicros(640_000 + at)) };
        assert_eq!(
            verdicts,
            [
                arrived(65_534, 250),
                arrived(65_535, 750),
                Verdict { number: 65_536, arrival: None },
                arrived(65_537, 750),
                arrived(65_538, 1_750),
            ]
        );
    }

    #[test]
    fn reference_times_go_on_over_their_wrap_and_back() {
        let mut feedback = Feedback::default();
        let range = u32::try_from(REFERENCE_RANGE).unwrap();
        assert_eq!(feedback.unwrap(range - 1), REFERENCE_RANGE - 1);
        assert_eq!(feedback.unwrap(1), REFERENCE_RANGE + 1);
        assert_eq!(feedback.unwrap(range - 2), REFERENCE_RANGE - 2, "a report that came late");
        assert_eq!(feedback.unwrap(3), REFERENCE_RANGE + 3);
    }

    #[test]
    fn what_was_never_sent_has_no_number() {
        assert_eq!(number(0, 0), None);
        assert_eq!(number(7, 7), None);
        assert_eq!(number(8, 7), None);
        assert_eq!(number(6, 7), Some(6));
        assert_eq!(number(65_535, 65_540), Some(65_535));
    }

    proptest! {
        #[test]
        fn no_report_from_the_network_can_make_it_panic_or_grow(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            next in any::<u64>(),
        ) {
            // A header of the right kind, so that the rest is read.
            let mut packet = vec![0x8f, 205, 0, 0];
            packet.extend(bytes);
            packet.truncate(packet.len() / 4 * 4);
            let words = u16::try_from(packet.len() / 4 - 1).unwrap();
            packet[2..4].copy_from_slice(&words.to_be_bytes());
            if let Ok(report) = TransportLayerCc::unmarshal(&mut &packet[..]) {
                let verdicts = Feedback::default().read(&report, next);
                prop_assert!(verdicts.len() <= usize::from(report.packet_status_count).min(MOST));
                prop_assert!(verdicts.iter().all(|verdict| verdict.number < next));
            }
        }
    }
}
