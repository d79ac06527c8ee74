// A story: steps in order that share a network, a host and cars. Their files are in out/vm/<story>,
// and every failure names that folder.
import { describe, it, before, after } from 'node:test';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cockpit, launch } from '../../e2e/lib/page.mjs';
import { Card } from './card.mjs';
import { Host } from './host.mjs';
import { image, testModules } from './images.mjs';
import { Net } from './net.mjs';
import { BOOT, seconds } from './patience.mjs';
import { provision } from './provision.mjs';
import { Ssh } from './ssh.mjs';
import { Vm } from './vm.mjs';

const out = new URL('../../../out/vm', import.meta.url).pathname;

/** `define(story, step)` declares the steps by `step(what happens, limit in seconds, function)`. */
export function story(name, options, define) {
  describe(name, () => {
    const scene = new Story(name, options);
    let failed = null;
    before(() => scene.open());
    after(() => scene.close(failed));
    const step = (what, limit, work) =>
      it(what, { timeout: seconds(limit) }, async (test) => {
        if (failed) return test.skip(`after: ${failed}`);
        try {
          const started = Date.now();
          await within(seconds(limit) - 5_000, work(test));
          test.diagnostic(
            `${((Date.now() - started) / 1000).toFixed(1)} s, emulator ${scene.vm?.cpuSeconds.toFixed(1) ?? '-'} s of processor time`,
          );
        } catch (error) {
          failed = what;
          await scene.gather().catch(() => {});
          error.message += `\nlogs of this story: ${scene.directory}`;
          throw error;
        }
      });
    define(scene, step);
  });
}

class Story {
  #ends = [];

  constructor(name, { dhcp = true } = {}) {
    this.directory = join(out, name.replaceAll(/[^a-z0-9]+/gi, '-'));
    this.dhcp = dhcp;
  }

  /** Adds work for the end, also after a failure. */
  atEnd(work) {
    this.#ends.push(work);
  }

  async open() {
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory, { recursive: true });
    this.net = await Net.start(this.directory, { dhcp: this.dhcp });
    this.host = await Host.start(this.directory, this.file('host'));
    this.watcher = await this.host.watch();
    this.owner = await Ssh.makeKey(this.directory);
  }

  file(name) {
    return join(this.directory, name);
  }

  /**
   * A freshly flashed card with a `provision.toml`; `changes` are tables and keys of it, or the
   * whole text.
   */
  async flash(changes = {}, { size } = {}) {
    this.card = await Card.flash(image(), this.file('card.img'), size);
    await this.provision(changes);
    return this.card;
  }

  /** Writes the card's `provision.toml`, with a fresh token. */
  async provision(changes = {}) {
    const text =
      typeof changes === 'string'
        ? changes
        : provision(this, await this.host.enrolmentToken(), changes);
    await this.card.write('provision.toml', text);
  }

  /** Switches the car on; a running car loses its power first. */
  async powerOn({ args } = {}) {
    await this.vm?.kill();
    this.tap ??= await this.net.cable();
    this.#boots();
    this.vm = await Vm.start({
      card: this.card,
      log: this.file('serial.log'),
      tap: this.tap,
      args,
    });
    return this.vm;
  }

  /** Reboots the car as its owner would. */
  async restart() {
    this.#boots();
    await this.inside('systemctl reboot', { may: [0, 255] });
    // The next command waits until SSH is there again.
    this.ssh = undefined;
  }

  #boots() {
    this.bootsSince = this.host.program.log().length;
    this.ssh = undefined;
  }

  /** Waits until the car has registered since its last start, and the condition holds. */
  online(what = 'the car is online', condition = () => true, within = BOOT) {
    // A car that lost its power stays in the list until the host notices, so the list is not
    // enough.
    const came = () => this.host.program.log().slice(this.bootsSince).includes(' car online');
    return this.watcher.when(
      what,
      (car) => came() && car.presence !== 'offline' && condition(car),
      { within },
    );
  }

  /** Waits until the car's entry in the list satisfies the condition, online or not. */
  car(what, condition, within = BOOT) {
    return this.watcher.when(what, condition, { within });
  }

  /** Waits until the car has left the host: it reboots, or its power is gone. */
  offline(within = BOOT) {
    return this.watcher.when('the car is offline', (car) => car.presence === 'offline', { within });
  }

  /** The address of the car on this network. */
  get address() {
    return this.net.lease(this.vm.mac);
  }

  /** A command inside the car. */
  async inside(command, options) {
    if (!this.ssh || this.ssh.address !== this.address) {
      this.ssh = new Ssh(this.address, this.owner.key);
      await this.ssh.ready();
    }
    return this.ssh.run(command, options);
  }

  /** The faults that the car found in itself at this start, a sentence for each. */
  async notices() {
    return (await this.inside('cat /run/rccar/notices/*.txt')).trim().split('\n');
  }

  /**
   * An update waits until the car has been parked for minutes. This makes it reboot at once; the
   * reboot undoes it. The owner's shell has few rights, so a separate unit changes the setting.
   */
  async parkAtOnce() {
    const change =
      'f=/run/rccar/config/update.toml; grep -v park_s $f | sed "/^.update.$/a park_s = 5" >$f.new && grep -q park_s $f.new || printf "[update]\\npark_s = 5\\n" >>$f.new';
    await this.inside(
      `systemd-run -q --pipe --wait sh -c '${change}; chmod --reference=$f $f.new; mv $f.new $f; systemctl restart rccar-update'`,
    );
  }

  /**
   * Lays the test modules (image/boards/own-modules.list) over the kernel's own, until the car
   * restarts. `modprobe` finds them from then on; udev does not, and loads a module only for a
   * device that is new. So those of virtio that wait for one get it here.
   */
  async addTestModules() {
    const add =
      'to=/usr/lib/modules/$(uname -r); mkdir /run/test-modules && tar -xC /run/test-modules && mount -t overlay -o lowerdir=/run/test-modules:$to test-modules $to && cat /sys/bus/virtio/devices/*/modalias | xargs modprobe -aq';
    await this.inside(`systemd-run -q --pipe --wait sh -ec '${add}'`, {
      input: readFileSync(testModules()),
    });
  }

  /** Opens the car's cockpit in Chromium. */
  async drive() {
    this.browser ??= await launch();
    this.cockpit = await Cockpit.open(this.browser, this.host);
    return this.cockpit;
  }

  /** Opens the car's own page in Chromium. */
  async lanPage() {
    this.browser ??= await launch();
    const page = await (await this.browser.newContext()).newPage();
    await page.goto(`http://${this.address}/`);
    return page;
  }

  /** Keeps what helps to understand a failure. */
  async gather() {
    const page = this.cockpit?.page;
    if (page)
      await page.screenshot({ path: this.file('page.png'), timeout: 5_000 }).catch(() => {});
    if (!this.vm?.running || !this.address) return;
    const look =
      'journalctl -b --no-pager -o short-monotonic; systemctl --no-pager --failed; rauc status; cat /run/e2fsck.log; ls -la /run/rccar /data /data/lost+found';
    const seen = await new Ssh(this.address, this.owner.key)
      .run(look, { within: 30_000, may: [0, 1, 3, 4] })
      .catch((error) => error.message);
    writeFileSync(this.file('inside.txt'), seen);
  }

  async close(failed) {
    await this.cockpit?.close().catch(() => {});
    await this.browser?.close().catch(() => {});
    await this.vm?.kill();
    for (const work of this.#ends) await work();
    this.watcher?.close();
    await this.host?.stop();
    await this.net?.stop();
    // The logs stay. Card and store of releases are big and useful only after a failure.
    if (!failed)
      for (const name of ['card.img', 'host'])
        rmSync(this.file(name), { recursive: true, force: true });
  }
}

/** Rejects before the test runner's own limit, so that a hanging step leaves its logs, too. */
async function within(limit, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limit / 1000} s`)), limit);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
