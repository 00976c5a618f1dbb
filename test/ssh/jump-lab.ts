/** A host behind a jump host, both in this process, and visits to it. */
import { onTestFinished } from 'vitest';
import type { ShellStream, Transport } from '../../src/core/ports.js';
import type { Bastion, BastionOptions, JumpTransportOptions } from './bastion.js';
import { createJumpTransport, knownLine, startBastion } from './bastion.js';
import type { Lab } from './lab.js';
import { createLab, never } from './lab.js';
import { readAll } from './scratch.js';
import type { SshTestServerOptions } from './test-server.js';

export async function bastionFor(lab: Lab, options: Partial<BastionOptions> = {}): Promise<Bastion> {
  const bastion = await startBastion({ authorized: [lab.userKey], ...options });
  onTestFinished(() => bastion.close());
  return bastion;
}

export interface JumpLab extends Lab {
  readonly bastion: Bastion;
  through(overrides?: Partial<JumpTransportOptions>): Transport;
}

/** One server, and one jump host before it. */
export async function createJumpLab(options: Partial<BastionOptions> = {}, server: Partial<SshTestServerOptions> = {}): Promise<JumpLab> {
  const lab = await createLab(server);
  const bastion = await bastionFor(lab, options);
  const { scratch, userKey } = lab;
  const known = lab.knownLine() + knownLine(bastion.port, bastion.hostKey);
  const jumps = (): { name: string; port: number }[] => [{ name: 'bastion-1', port: bastion.port }];
  return { ...lab, bastion, through: (overrides = {}) => createJumpTransport({ scratch, userKey, known, jumps, ...overrides }) };
}

export async function run(transport: Transport, lab: Lab, command: string): Promise<unknown> {
  const shell = await transport.open(lab.host, command, never);
  const [, , end] = await Promise.all([readAll(shell.stdout), readAll(shell.stderr), shell.ended]);
  return end;
}

/** Runs until it is ended; settles when the command runs. */
export async function hold(transport: Transport, lab: Lab): Promise<ShellStream> {
  const shell = await transport.open(lab.host, 'echo up; cat', never);
  shell.stderr.resume();
  await new Promise((resolve) => shell.stdout.once('data', resolve));
  return shell;
}

export const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => make(index)));
