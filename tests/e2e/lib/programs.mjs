// Starts the real programs in their own folder, on free ports, and stops them again.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { until } from './wait.mjs';

const run = promisify(execFile);
export const binaries = resolve(
  process.env.RCCAR_BIN ?? new URL('../../../target/debug', import.meta.url).pathname,
);

/** Path of a program. `RCCAR_CAR`: a car that was built differently, or runs elsewhere. */
const executable = (name) =>
  (name === 'rccar-car' && process.env.RCCAR_CAR) || join(binaries, name);

/**
 * Programs talk like a later version, so every story shows that this does no harm (PROTOCOL.md,
 * "Grease").
 */
const GREASE = { RCCAR_GREASE: '1' };

/** A port that is free on both loopback addresses. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A running program; `log()` returns all that it printed. */
export class Program {
  constructor(name, args, directory, path = executable(name)) {
    this.name = name;
    this.logFile = join(directory, `${name}.log`);
    const log = openSync(this.logFile, 'a');
    const env = {
      ...process.env,
      ...GREASE,
      RCCAR_LOG: process.env.RCCAR_LOG ?? 'info',
      NO_COLOR: '1',
    };
    this.process = spawn(path, args, { stdio: ['ignore', log, log], env });
    this.exited = once(this.process, 'exit');
  }

  log() {
    return readFileSync(this.logFile, 'utf8');
  }

  get running() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(signal = 'SIGTERM') {
    if (this.running) this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(timer);
  }
}

const camera = ({
  width = 640,
  height = 360,
  bitrate_kbps = 1000,
  timecode = false,
  source = 'simulator',
  path,
  device,
} = {}) =>
  `[camera]\nsource = "${source}"\nwidth = ${width}\nheight = ${height}\nfps = 30\n` +
  `bitrate_kbps = ${bitrate_kbps}\ntimecode = ${timecode}\n${path ? `path = "${path}"\n` : ''}${device ? `device = "${device}"\n` : ''}`;

/**
 * Host, drive and car on this machine. `old` names the programs that come from a release, with
 * their folders: `{ 'rccar-host': folder }`.
 */
export class World {
  static async start(options = {}) {
    const world = new World();
    // A story with thousands of writes to the host's database must not wait for the disk.
    const folder = options.inMemory && existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    world.directory = mkdtempSync(join(folder, 'rccar-e2e-'));
    world.port = await freePort();
    world.turnPort = await freePort();
    world.options = options;
    try {
      if (options.camera?.source === 'pipe') {
        options.camera.path = world.file('camera.i420');
        await run('mkfifo', [options.camera.path]);
      }

      world.writeHostConfig();
      await world.startHost();
      if (options.lan) world.lanPort = await freePort();
      if (options.account === false) return world;
      await world.addUser('ada');
      if (options.card === undefined) world.writeCarConfig(await world.enrolmentToken());
      else await world.provision(`[host]\nurl = "${world.cardUrl}"\n${options.card}`);
      world.startDrive();
      await world.startCar(options.card === undefined ? 'registered' : 'unclaimed');
      return world;
    } catch (error) {
      error.message += `\n${world.logs()}`;
      await world.stop();
      throw error;
    }
  }

  /** Path of a program in this world: from a release or of today. */
  #path(name) {
    const folder = this.options.old?.[name];
    return folder ? join(folder, name) : executable(name);
  }

  async addUser(name) {
    await run(this.#path('rccar-host'), [...this.hostArgs('user'), 'add', name]);
  }

  /** Shares the only car with a user. */
  async share(user, role = 'driver') {
    const host = (...args) => run(this.#path('rccar-host'), [...this.hostArgs('car'), ...args]);
    const { stdout } = await host('list');
    const [id] = stdout.split('\t');
    await host('share', id, '--user', user, '--role', role);
  }

  /** Runs `rccar-host release …`. */
  async release(...args) {
    const { stdout } = await run(this.#path('rccar-host'), [...this.hostArgs('release'), ...args]);
    return stdout;
  }

  async enrolmentToken() {
    const { stdout } = await run(this.#path('rccar-host'), [...this.hostArgs('enrol'), '--json']);
    return JSON.parse(stdout).token;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * The host's address for a card: an address that means this machine would count as a mistake
   * there.
   */
  get cardUrl() {
    return `http://192.0.2.1:${this.port}`;
  }

  file(name) {
    return join(this.directory, name);
  }

  hostArgs(command) {
    return [command, '--config', this.file('host.toml')];
  }

  writeHostConfig() {
    // The file of an operator who came from 0.1.0: both releases take its key.
    const spread = this.options.old?.['rccar-host'] ? 'nudge_spread_s' : 'announce_spread_s';
    writeFileSync(
      this.file('host.toml'),
      `[http]\nlisten = ["127.0.0.1:${this.port}", "[::1]:${this.port}"]\npublic_url = "${this.url}"\n` +
        `[database]\npath = "${this.file('host.db')}"\n` +
        `[turn]\nenabled = true\nlisten = ["127.0.0.1:${this.turnPort}", "[::1]:${this.turnPort}"]\n` +
        `secret_file = "${this.file('turn.secret')}"\nallow_loopback_peers = true\n` +
        (this.options.accounts ? `[accounts]\n${this.options.accounts}` : '') +
        `[releases]\ndir = "${this.file('releases')}"\nkeyring = "${this.file('keyring.pem')}"\n${spread} = 0\n`,
    );
  }

  writeCarConfig(token) {
    const lan = this.lanPort ? `[lan]\nlisten = ["127.0.0.1:${this.lanPort}"]\n` : '';
    writeFileSync(
      this.file('car.toml'),
      `[car]\nname = "Test car"\nstate_dir = "${this.file('car')}"\nruntime_dir = "${this.file('run')}"\n` +
        `[host]\nurl = "${this.url}"\nenrolment = "${token}"\n` +
        `[drive]\nsocket = "${this.file('drive.sock')}"\n[ice]\nloopback = true\n${camera(this.options.camera)}${lan}` +
        (this.options.sensors ? `[computer]\nsys = "${this.file('sys')}"\n` : ''),
    );
    this.writeDriveConfig();
  }

  /** `battery`: more lines of its table. */
  writeDriveConfig(battery = '') {
    const watched = `[battery]\ncells = 2\npatience_s = 5\nhwmon = "${this.file('sys/class/hwmon')}"\n`;
    // A drive of release 0.1.0 cannot be calibrated, and refuses an option that it does not know.
    const calibration = this.options.old?.['rccar-drive']
      ? ''
      : `calibration = "${this.file('calibration.toml')}"\n`;
    writeFileSync(
      this.file('drive.toml'),
      `socket = "${this.file('drive.sock')}"\n${calibration}` +
        (this.options.sensors ? `${watched}${battery}` : ''),
    );
  }

  /** A file of the kernel's sensors, with this text from now on; without one the folder is gone. */
  sense(path, text) {
    const file = this.file(`sys/${path}`);
    if (text === undefined) {
      rmSync(file, { recursive: true, force: true });
      return;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, `${text}\n`);
    // In one step, as the kernel does: a reader must not see half of it.
    renameSync(`${file}.new`, file);
  }

  /**
   * Puts this `provision.toml` onto a card and sets the car up from it, as its system does at each
   * start. The image's own settings (`car.toml`) connect the car with this world.
   */
  async provision(text) {
    for (const folder of ['boot/firmware', 'usr/share/rccar'])
      mkdirSync(this.file(`root/${folder}`), { recursive: true });
    mkdirSync(this.file('run'), { recursive: true });
    writeFileSync(this.file('root/boot/firmware/provision.toml'), text);
    this.writeCarConfig('');
    const base = readFileSync(this.file('car.toml'), 'utf8').replace(
      /^(url|enrolment|name) = .*\n/gm,
      '',
    );
    writeFileSync(this.file('root/usr/share/rccar/car.toml'), base);
    await run(join(binaries, 'rccar-provision'), ['apply', '--root', this.file('root')]);
    const made = readFileSync(this.file('root/run/rccar/config/car.toml'), 'utf8');
    // The card's address of the host leads nowhere from here, because this machine is the car.
    assert.ok(made.includes(this.cardUrl), made);
    writeFileSync(this.file('car.toml'), made.replaceAll(this.cardUrl, this.url));
    writeFileSync(
      this.file('run/provision.json'),
      readFileSync(this.file('root/run/rccar/provision.json')),
    );
  }

  /** As with another card: the car gets another key. */
  async forgetCar() {
    for (const folder of ['car', 'root'])
      rmSync(this.file(folder), { recursive: true, force: true });
  }

  has(name) {
    return existsSync(this.file(name));
  }

  /** Status from the car's own page for a client that uses this host name. */
  async statusByName(name) {
    const options = {
      host: '127.0.0.1',
      port: this.lanPort,
      path: '/api/v1/status',
      headers: { host: name },
    };
    const [response] = await once(get(options), 'response');
    return JSON.parse((await response.toArray()).join(''));
  }

  async startHost() {
    this.host = new Program(
      'rccar-host',
      this.hostArgs('run'),
      this.directory,
      this.#path('rccar-host'),
    );
    await until(`the host answers on ${this.url}`, async () => {
      if (!this.host.running) throw new Error(`the host has ended:\n${this.host.log()}`);
      return (await fetch(`${this.url}/healthz`).catch(() => null))?.ok;
    });
  }

  startDrive() {
    this.drive = new Program(
      'rccar-drive',
      ['--config', this.file('drive.toml'), '--trace', this.file('drive.trace')],
      this.directory,
      this.#path('rccar-drive'),
    );
  }

  async startCar(state = 'registered') {
    const before = this.carLog().length;
    this.car = new Program(
      'rccar-car',
      ['--config', this.file('car.toml')],
      this.directory,
      this.#path('rccar-car'),
    );
    await until(`the car is ${state}`, () => {
      if (!this.car.running) throw new Error(`the car has ended:\n${this.car.log()}`);
      return this.carLog().slice(before).includes(state);
    });
  }

  /** Waits until the host lists the car as connected. */
  async carOnline() {
    await until('the car is back', () => {
      const log = this.carLog();
      return log.lastIndexOf('registered') > log.lastIndexOf('no connection to the host');
    });
  }

  /** The code that opens the car's own page. */
  accessCode() {
    return readFileSync(this.file('car/access-code'), 'utf8').trim();
  }

  carLog() {
    try {
      return readFileSync(this.file('rccar-car.log'), 'utf8');
    } catch {
      return '';
    }
  }

  /** The drive's decisions so far: the lines of its flight recorder. */
  trace() {
    const lines = readFileSync(this.file('drive.trace'), 'utf8').split('\n');
    // The last line may be half written.
    return lines.slice(0, -1).map((line) => JSON.parse(line));
  }

  /** A one-time address that signs in. */
  async signInLink(user = 'ada') {
    return await this.#link('sign-in-link', user);
  }

  /** A one-time address at which a user chooses a password. */
  async passwordLink(user = 'ada') {
    return await this.#link('password-link', user);
  }

  async #link(kind, user) {
    const program = this.#path('rccar-host');
    const { stdout } = await run(program, [...this.hostArgs(kind), '--user', user]);
    return stdout.match(/https?:\/\/\S+/)[0];
  }

  logs() {
    const tail = (program) =>
      program ? `--- ${program.name}\n${program.log().split('\n').slice(-25).join('\n')}` : '';
    return [this.host, this.car, this.drive].map(tail).join('\n');
  }

  async stop() {
    await Promise.all([this.car, this.host].filter(Boolean).map((program) => program.stop()));
    await this.drive?.stop();
    const programs = existsSync(this.directory) ? [this.host, this.car, this.drive] : [];
    const said = programs.map((program) => program?.log() ?? '').join('\n');
    rmSync(this.directory, { recursive: true, force: true });
    // All of them say what only a later release says (grease): it is no mistake to anybody, but to
    // 0.1.0, which took a word that it did not know for one.
    const malformed = this.options.old ? null : said.match(/^.*malformed.*$/imu);
    if (malformed) throw new Error(`a program calls another's message malformed: ${malformed}`);
  }
}
