// Releases that a car must refuse. Whatever the host offers, the car stays on its version, and says
// why.
import assert from 'node:assert/strict';
import { bundles } from '../lib/bundles.mjs';
import { version } from '../lib/images.mjs';
import { BOOT, seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

story('bad releases', {}, (car, step) => {
  const failed = (number, reason, within) =>
    car.car(
      `the car refuses ${number}`,
      ({ update }) =>
        update?.state === 'failed' && update.version === number && reason.test(update.reason),
      within,
    );
  const slot = async () => JSON.parse(await car.inside('rauc status --output-format=json')).booted;

  step('a car is online', 460, async () => {
    await car.flash();
    await car.powerOn();
    await car.online('it runs the image', ({ update }) => update?.running === version());
    await car.parkAtOnce();
  });

  step('for another board: it is not offered', 120, async () => {
    const { version: number, file } = await bundles.otherBoard();
    await car.host.release(file);
    const answer = await car.inside('rccar-update check');
    assert.doesNotMatch(answer, new RegExp(number.replaceAll('.', '\\.')));
    assert.equal(await slot(), 'A');
  });

  step(
    'older than what runs: it is not offered, and not installed when asked for',
    120,
    async () => {
      const { version: number, file } = await bundles.old();
      await car.host.release(file);
      const refusal = await car.inside(`rccar-update install ${number} 2>&1 || echo "exit $?"`);
      const reason = `version ${number} is older than ${version()}, which is running; add --allow-downgrade to go back`;
      assert.ok(refusal.includes(reason) && /^exit [1-9]/m.test(refusal), refusal);
      assert.equal(await slot(), 'A');
    },
  );

  step('signed by somebody else: the host refuses it, and so does the car', 240, async () => {
    const { version: number, file, certificate } = await bundles.foreign();
    await assert.rejects(car.host.release(file), /signature|certificate|trust/i);
    car.host.trust(certificate);
    await car.host.release(file);
    await failed(number, /sign|certificate|trust/i, seconds(200));
    assert.equal(await slot(), 'A');
    await car.host.cli('release', 'remove', number);
  });

  step(
    'cut short on the host: the car says so, and the slot in use stays untouched',
    400,
    async () => {
      const { version: number, file } = await bundles.damaged();
      await car.host.release(file);
      await car.host.truncateRelease();
      // This is no fault of the version: the car tries again later, in case the host is repaired.
      const told = ({ update }) =>
        update?.version === number && /not the one that was offered/.test(update.reason);
      await car.car(`the car says what is wrong with ${number}`, told, seconds(360));
      assert.equal(await slot(), 'A');
      await car.host.cli('release', 'remove', number);
    },
  );

  step(
    'it does not boot: after its attempts the old version is back, with the reason',
    1500,
    async () => {
      const { version: number, file } = await bundles.dead();
      const { serial } = car.vm;
      const { position } = serial;
      await car.host.release(file);
      await serial.waitFor(/rccar: slot B/, { since: position, within: BOOT });
      await serial.waitFor(/rccar: slot A/, { since: position, within: 3 * BOOT });
      await failed(number, /: did not start$/, BOOT);
      assert.equal(await slot(), 'A');
      await car.host.cli('release', 'remove', number);
    },
  );

  step('it boots and is not healthy: the old version is back, with the reason', 1500, async () => {
    await car.parkAtOnce();
    const { version: number, file } = await bundles.unhealthy();
    const { serial } = car.vm;
    const { position } = serial;
    await car.host.release(file);
    await serial.waitFor(/rccar: slot B/, { since: position, within: BOOT });
    await serial.waitFor(/rccar: slot A/, { since: position, within: 2 * BOOT });
    await failed(number, /: did not become healthy: rccar-car does not answer$/, BOOT);
    assert.equal(await slot(), 'A');
  });
});
