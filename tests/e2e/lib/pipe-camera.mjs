// A camera that a story starts and stops: grey frames into the pipe of a car with
// `camera: { source: 'pipe' }`.
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { sleep } from './wait.mjs';

export class PipeCamera {
  static async open(world, { width, height }) {
    const camera = new PipeCamera();
    camera.frame = Buffer.alloc((width * height * 3) / 2, 128);
    camera.pipe = await open(world.file('camera.i420'), 'w');
    return camera;
  }

  start() {
    this.running = true;
    this.writer = (async () => {
      while (this.running) {
        // No two pictures are the same.
        this.frame[0] = (this.frame[0] + 40) % 256;
        this.lastAt = Number(process.hrtime.bigint() / 1000n);
        await this.pipe.write(this.frame);
        await sleep(33);
      }
      // At the end of a story the car stops before its camera.
    })().catch((error) => assert.equal(error.code, 'EPIPE'));
  }

  /** Stops; returns the time of the last frame, in µs of the clock of the drive's trace. */
  async stop() {
    this.running = false;
    await this.writer;
    return this.lastAt;
  }

  async close() {
    await this.stop();
    await this.pipe.close();
  }
}
