// Programs of this machine.
import { spawn } from 'node:child_process';

/**
 * Runs a program to its end and returns its output. Errors name the command and its last output.
 * `input` goes to its standard input; `may` lists exit codes that are no error.
 */
export function tool(program, args, { input, may = [0], within = 120_000, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...options,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: within,
      killSignal: 'SIGKILL',
    });
    const [out, err] = [[], []];
    child.stdout.on('data', (data) => out.push(data));
    child.stderr.on('data', (data) => err.push(data));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const stdout = Buffer.concat(out);
      const stderr = Buffer.concat(err).toString();
      if (may.includes(code)) resolve({ code, stdout: stdout.toString(), stderr, bytes: stdout });
      else
        reject(
          new Error(
            `${[program, ...args].join(' ')}: ${signal ?? `exit code ${code}`}\n${stdout.toString().slice(-2000)}${stderr.slice(-2000)}`,
          ),
        );
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
