//! Puts cars, link and browsers together, and lets time pass.

use super::browser::{Browser, Message};
use super::car::Car;
use super::dice::Dice;
use super::encoder::Picture;
use super::link::{Link, Way};
use super::sheet::Sheet;
use super::upload::Upload;
use super::{Load, MILLI, Micros, SECOND};
use rccar_congestion::Limits;

/// Virtual time passes in steps of this.
const STEP: Micros = MILLI / 4;

/// A drive over a link.
#[derive(Debug, Clone)]
pub struct Scene {
    pub name: &'static str,
    pub seconds: f64,
    pub way: Way,
    pub limits: Limits,
    pub picture: Picture,
    /// When each car begins (s).
    pub cars: Vec<f64>,
    /// A long upload through the same bottleneck, from and to (s).
    pub upload: Option<(f64, f64)>,
    /// Part of the reports that is lost.
    pub reports_lost: f64,
    pub drift_ppm: i64,
    /// From a moment (s) on, the delay of the way there (s).
    pub detour: Option<Detour>,
}

#[derive(Debug, Clone, Copy)]
pub struct Detour {
    pub at: f64,
    pub there: Micros,
    /// Another uplink: the car knows, and what was under way is lost. Else the network changes the
    /// way by itself, and nobody says so.
    pub told: bool,
}

/// Lets a scene happen. The same seed gives the same sheets, one for each car.
pub fn play(scene: &Scene, seed: u64) -> Vec<Sheet> {
    World::new(scene, seed).play()
}

struct World<'a> {
    scene: &'a Scene,
    dice: Dice,
    link: Link,
    ends: Vec<End>,
    upload: Upload,
    detoured: bool,
}

/// A car and its driver.
struct End {
    from: Micros,
    car: Car,
    browser: Browser,
    sheet: Sheet,
    /// On their way back to the car.
    messages: Vec<(Micros, Message)>,
    useful: f64,
}

impl<'a> World<'a> {
    fn new(scene: &'a Scene, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let way = &scene.way;
        let ends = scene.cars.iter().enumerate().map(|(index, from)| {
            let from = (from * 1e6) as Micros;
            let phase = from + (dice.share() * 50e3) as Micros;
            End {
                from,
                car: Car::new(index, scene.limits, scene.picture, from, way.there + way.back),
                browser: Browser::new(scene.drift_ppm, phase),
                sheet: Sheet::new(from),
                messages: Vec::new(),
                useful: 0.0,
            }
        });
        let ends = ends.collect();
        let link = Link::new(way.clone(), scene.cars.len(), seed);
        Self { scene, dice, link, ends, upload: Upload::default(), detoured: false }
    }

    fn play(mut self) -> Vec<Sheet> {
        let end = (self.scene.seconds * 1e6) as Micros;
        let mut now = 0;
        while now < end {
            self.step(now);
            now += STEP;
        }
        let sheets = self.ends.into_iter().enumerate().map(|(index, end)| {
            let mut sheet = end.sheet;
            sheet.finish(now);
            sheet.left_out = end.car.control.insight().left_out;
            sheet.encoded = end.car.counts.encoded;
            sheet.keyframes = end.car.counts.keyframes;
            sheet.copies = end.car.counts.copies;
            sheet.lost = self.link.lost[index];
            sheet
        });
        sheets.collect()
    }

    fn step(&mut self, now: Micros) {
        self.detour(now);
        for end in self.ends.iter_mut().filter(|end| now >= end.from) {
            for packet in end.car.step(now, &mut self.dice) {
                end.sheet.slot(now).air += packet.bytes;
                self.link.send(now, packet);
            }
        }
        let seconds = now as f64 / SECOND as f64;
        if self.scene.upload.is_some_and(|(from, to)| (from..to).contains(&seconds)) {
            self.upload.step(now, &mut self.link);
        }
        for packet in self.link.step(now, STEP, &mut self.dice) {
            match packet.load {
                Load::Media { .. } => self.ends[packet.car].browser.handle_packet(now, &packet),
                Load::Upload => self.upload.handle_arrived(now, self.link.way.back),
            }
        }
        let possible = self.possible(now);
        for end in self.ends.iter_mut().filter(|end| now >= end.from) {
            end.step(now, &self.link.way, self.scene.reports_lost, &mut self.dice);
            let slot = end.sheet.slot(now);
            slot.possible += possible * STEP as f64 / 8e6;
        }
    }

    fn possible(&self, now: Micros) -> f64 {
        let rate = self.link.way.capacity.at(now);
        let policed = self.link.way.policer.map_or(rate, |policer| rate.min(policer.rate));
        policed.min(self.scene.limits.most_bps.into())
    }

    fn detour(&mut self, now: Micros) {
        let Some(detour) = self.scene.detour else { return };
        if self.detoured || (now as f64) < detour.at * 1e6 {
            return;
        }
        self.detoured = true;
        if !detour.told {
            self.link.way.there = detour.there;
            return;
        }
        self.link.change(detour.there, self.link.way.back);
        let round_trip = detour.there + self.link.way.back;
        for end in &mut self.ends {
            end.car.handle_new_path(now, round_trip);
        }
    }
}

impl End {
    fn step(&mut self, now: Micros, way: &Way, reports_lost: f64, dice: &mut Dice) {
        for message in self.browser.poll(now) {
            let lost = matches!(message, Message::Report(_)) && dice.chance(reports_lost);
            if !lost {
                self.messages.push((now + way.back, message));
            }
        }
        for paint in self.browser.decode(now) {
            self.sheet.handle_paint(paint);
        }
        // All take the same time: the first is the oldest.
        while self.messages.first().is_some_and(|(at, _)| *at <= now) {
            let (_, message) = self.messages.remove(0);
            self.car.handle(now, message);
        }
        let useful = self.browser.useful - std::mem::replace(&mut self.useful, self.browser.useful);
        let rate = f64::from(self.car.control.poll_rate());
        let slot = self.sheet.slot(now);
        slot.useful += useful;
        slot.target += rate * STEP as f64 / 8e6;
        self.sheet.step(now);
    }
}
