// A provision.toml with mistakes: the card says what is wrong, and so does the car's own page.
import assert from 'node:assert/strict';
import { BOOT, seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';
import { until } from '../../e2e/lib/wait.mjs';

story('wrong provision.toml', {}, (car, step) => {
  step('the car boots with a mistake in a line, and uses the rest', 460, async () => {
    const token = await car.host.enrolmentToken();
    await car.flash(
      `[host]\nurl = "${car.host.url}"\ntoken = "${token}"\n[car]\nnane = "Blitz"\n[camera]\nwidth = "wide"\n[ssh]\npublic_key = "${car.owner.publicKey}"\n`,
    );
    await car.powerOn();
    await car.online();
  });

  step('the car says so on its own page, to whoever is on its network', 60, async () => {
    const page = await car.lanPage();
    const faults = page.getByTestId('card-faults');
    await faults.getByText(/nane/).waitFor({ timeout: seconds(40) });
    assert.match(await faults.innerText(), /width/);
  });

  step('the card says so, with the line', 60, async () => {
    await car.vm.kill();
    const report = await car.card.read('provision-report.txt');
    assert.match(report, /^\* line 5, .*nane/m);
    assert.match(report, /^\* line 7, camera\.width/m);
  });

  step('a file that is no TOML leaves what was good before', 460, async () => {
    await car.card.write('provision.toml', '[host\nurl = 7\n');
    await car.powerOn();
    await car.online();
    await car.vm.kill();
    assert.match(await car.card.read('provision-report.txt'), /^\* line 1\b/m);
  });

  step('a right file ends the complaints', 460, async () => {
    await car.provision();
    await car.powerOn();
    await car.online();
    await car.vm.kill();
    const report = await car.card.read('provision-report.txt');
    assert.match(report, /Everything in it was right/);
    assert.doesNotMatch(report, /line \d/);
  });
});

story('no token', {}, (car, step) => {
  step('a car without a token shows a claim code on its console', 460, async () => {
    await car.flash(`[host]\nurl = "${car.host.url}"\n`);
    const { serial } = await car.powerOn();
    car.code = (await serial.waitFor(/claim code (\S+)/, { within: BOOT }))[1];
  });

  step('whoever knows the code claims it', 60, async () => {
    const answer = await until('the host knows the code', async () => {
      const response = await car.watcher.fetch('/api/v1/claims', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code: car.code }),
      });
      return response.ok && response;
    });
    assert.ok(answer.ok);
    await car.online();
  });
});
