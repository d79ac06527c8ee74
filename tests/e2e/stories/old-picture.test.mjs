// The car itself knows how old the picture is by which it is driven, whatever the page says.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';

/**
 * Runs in the page, before all else: what the page says of its picture is changed on its way out.
 * `globalThis.say(rtp, past)` gets the time stamp, and those of the last seconds with the time at
 * which each was first said; it returns the one to send.
 */
function changeWhatIsShown() {
  const GROUP = 4;
  const past = [];
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (data) {
    if (this.label === 'control' && globalThis.say && typeof data !== 'string') {
      const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 18; at + 2 <= view.byteLength; at += 2 + view.getUint8(at + 1)) {
        if (view.getUint8(at) !== GROUP) continue;
        const rtp = view.getUint32(at + 2);
        if (past.at(-1)?.rtp !== rtp) past.push({ rtp, at: performance.now() });
        if (past.length > 200) past.shift();
        view.setUint32(at + 2, globalThis.say(rtp, past) >>> 0);
      }
    }
    return send.call(this, data);
  };
}

describe('the age of the picture, seen by the car', () => {
  let browser, world, cockpit;
  before(async () => (browser = await launch()));
  after(() => browser?.close());
  beforeEach(async () => {
    world = await World.start({});
    cockpit = await Cockpit.open(browser, world, { before: changeWhatIsShown });
    await cockpit.live();
  });
  afterEach(async (context) => {
    if (context.passed === false) console.log(world?.logs());
    await cockpit?.close();
    await world?.stop();
    cockpit = world = undefined;
  });

  const drives = () =>
    cockpit.drive(['KeyW'], 'the car drives', ({ telemetry: t }) => t.throttle > 2_500);
  const state = () => cockpit.page.getByTestId('hud-state').innerText();

  /** What an honest page on a slow link would say: the picture of `ms` ago. */
  const delay = (ms) =>
    cockpit.page.evaluate((delayMs) => {
      globalThis.say = (rtp, past) => {
        const until = performance.now() - delayMs;
        return (past.findLast(({ at }) => at <= until) ?? past[0]).rtp;
      };
    }, ms);

  it('slows the car by a picture of a quarter of a second, and says so', async () => {
    await drives();
    await delay(280);
    const slow = await cockpit.when(
      'the car is slowed',
      ({ telemetry: t }) => t.speed_limit?.cause === 'picture' && t.throttle <= 1_000,
    );
    assert.equal(slow.telemetry.state, 'armed');
    assert.match(await state(), /Slowed to \d0 %: the picture is old/u);
    await cockpit.page.evaluate(() => (globalThis.say = (rtp) => rtp));
    await cockpit.when('it drives on', ({ telemetry: t }) => t.throttle > 2_500);
    await cockpit.page.keyboard.up('KeyW');
  });

  it('stops the car by a picture of half a second, and does not arm it', async () => {
    await drives();
    await delay(700);
    await cockpit.when('the car has tripped', ({ telemetry: t }) => t.state === 'tripped');
    const why = world.trace().findLast(({ event }) => event === 'tripped');
    assert.equal(why.reason, 'old-picture');
    await cockpit.page.keyboard.up('KeyW');
    await cockpit.page.keyboard.press('Enter');
    const { control } = await cockpit.snapshot();
    const later = await cockpit.when('frames are sent', (s) => s.control.sent > control.sent + 60);
    assert.equal(later.telemetry.reason, 'old-picture');
    assert.notEqual(later.telemetry.state, 'armed');
  });

  it('is not fooled by a page that names pictures it never got', async () => {
    await drives();
    // A picture of the next second: it would be young for ever.
    await cockpit.page.evaluate(() => (globalThis.say = (rtp) => rtp + 90_001));
    await cockpit.when('the car has tripped', ({ telemetry: t }) => t.state === 'tripped');
    const trace = world.trace();
    assert.equal(trace.findLast(({ event }) => event === 'tripped').reason, 'old-picture');
    await cockpit.page.keyboard.up('KeyW');
  });
});
