// What stands between car and host, or answers in its place, is named on the car's page, in its log
// and on its card, and a redirect to the same name is followed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { World } from '../lib/programs.mjs';
import { until } from '../lib/wait.mjs';

const HTML = { 'Content-Type': 'text/html; charset=utf-8' };

describe('what answers in the place of the host', () => {
  let world;
  const servers = [];

  before(async () => {
    world = await World.start({ lan: true });
  });
  after(async () => {
    for (const server of servers) server.close();
    await world?.stop();
    delete process.env.SSL_CERT_FILE;
  });

  async function listen(server) {
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return server.address().port;
  }

  /** A server that answers each request, also one for a WebSocket, in this way. */
  const answering = (status, headers = {}, body = '') =>
    listen(createServer((_, response) => response.writeHead(status, headers).end(body)));

  /** Starts the car with this address of its host. */
  async function startAt(url, state = 'no connection to the host') {
    await world.car.stop();
    const config = readFileSync(world.file('car.toml'), 'utf8');
    writeFileSync(world.file('car.toml'), config.replace(/^url = .*/m, `url = "${url}"`));
    await world.startCar(state);
  }

  /** Page, log and the file for the card's report say this. */
  async function saysEverywhere(url, words) {
    await startAt(url);
    const host = async () => (await world.statusByName('127.0.0.1')).host;
    await until(`the page says why`, async () => words.test((await host()).text ?? ''));
    assert.equal((await host()).state, 'connecting');
    assert.match(world.carLog(), words);
    assert.match(readFileSync(world.file('car/host.txt'), 'utf8'), words);
  }

  for (const [what, status, headers, words] of [
    ['a proxy without the headers of an upgrade', 426, {}, /headers Upgrade and Connection/],
    ['a sign-in page of a network', 200, HTML, /captive portal/],
    ['a server that has the host below a path', 404, HTML, /below a path/],
    ['a proxy without a host behind it', 502, HTML, /the host behind it does not run/],
    ['a proxy with a sign-in', 401, HTML, /without a sign-in of the proxy/],
    ['a redirect to another name', 302, { Location: 'http://portal.example/' }, /portal\.example/],
  ])
    it(`names ${what}`, async () => {
      await saysEverywhere(`http://127.0.0.1:${await answering(status, headers)}`, words);
    });

  it('names a proxy in front of the real host that forwards no upgrade', async () => {
    const proxy = createServer(async (request, response) => {
      const answer = await fetch(world.url + request.url);
      response.writeHead(answer.status).end(await answer.text());
    });
    await saysEverywhere(`http://127.0.0.1:${await listen(proxy)}`, /headers Upgrade and/);
  });

  it('names a redirect that goes round in circles', async () => {
    const server = createServer((request, response) => {
      response.writeHead(301, { Location: `http://${request.headers.host}/login` }).end();
    });
    await saysEverywhere(`http://127.0.0.1:${await listen(server)}`, /in circles/);
    const ports = [];
    for (let n = 0; n < 5; n += 1) {
      const next = createServer((_, response) => {
        response.writeHead(302, { Location: `http://127.0.0.1:${ports[(n + 1) % 5]}/` }).end();
      });
      ports.push(await listen(next));
    }
    await saysEverywhere(`http://127.0.0.1:${ports[0]}`, /from one address to the next/);
  });

  it('names what is no web server, and what hangs up', async () => {
    const banner = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'));
    await saysEverywhere(`http://127.0.0.1:${await listen(banner)}`, /is no web server/);
    const silent = createTcpServer((socket) => socket.once('data', () => socket.end()));
    await saysEverywhere(`http://127.0.0.1:${await listen(silent)}`, /before it says a word/);
    await saysEverywhere(`https://127.0.0.1:${await answering(400)}`, /does not speak TLS/);
  });

  it('names certificates that are not the host’s', async () => {
    const folder = world.file('certificates');
    mkdirSync(folder);
    const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=CA');
    openssl('req', ...key, '-keyout', 'host.key', '-out', 'host.csr', '-subj', '/CN=other');
    writeFileSync(join(folder, 'host.ext'), 'subjectAltName = DNS:portal.example\n');
    openssl(
      ...['x509', '-req', '-in', 'host.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-extfile', 'host.ext', '-out', 'host.pem'],
    );
    const read = (name) => readFileSync(join(folder, name));
    const server = createTlsServer({ key: read('host.key'), cert: read('host.pem') });
    const url = `https://127.0.0.1:${await listen(server)}`;
    await saysEverywhere(url, /signed by nobody whom the car trusts/);
    process.env.SSL_CERT_FILE = join(folder, 'ca.pem');
    await saysEverywhere(url, /certificate for another name.*portal\.example/);
  });

  it('follows a redirect to the same name, says so, and forgets why it was not let in', async () => {
    assert.ok(existsSync(world.file('car/host.txt')));
    const port = await answering(301, { Location: `${world.url}/ws/car` });
    await startAt(`http://127.0.0.1:${port}`, 'registered');
    const { host } = await world.statusByName('127.0.0.1');
    assert.equal(host.state, 'registered');
    assert.match(host.text, new RegExp(`sends the car on to ${world.url}`));
    assert.match(world.carLog(), /put that address into the settings/);
    await until('the reason is gone', () => !existsSync(world.file('car/host.txt')));
  });

  it('writes the reason onto the card at the next start', async () => {
    await saysEverywhere(`http://127.0.0.1:${await answering(502)}`, /does not run/);
    const kept = world.file('root/var/lib/rccar/host.txt');
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(kept, readFileSync(world.file('car/host.txt')));
    await world.provision(`[host]\nurl = "${world.cardUrl}"\n`);
    const report = readFileSync(world.file('root/boot/firmware/provision-report.txt'), 'utf8');
    assert.match(report, /its host did not let it in\. http:\S+ a proxy answers .*does not run/);
  });
});
