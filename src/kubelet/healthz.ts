/** Where a kubelet answers health questions: flags over drop-ins over file over defaults (kubelet.md 3.3). Asks nothing. */
import { lastFlag } from './flags.js';
import type { ConfigFiles, KubeletSurvey } from './survey-types.js';
import type { KubeletCommand } from './command.js';

const DEFAULT_PORT = 10248;
const DEFAULT_ADDRESS = '127.0.0.1';

/** `undefined`: this kubelet serves no healthz (port 0), or it is not known which one runs. */
export function healthzUrl(survey: KubeletSurvey): string | undefined {
  if (survey.state === 'running') return urlOf(survey.command, survey.files);
  if (survey.state !== 'notRunning' || !survey.next.predicted || survey.next.command === undefined) return undefined;
  return urlOf(survey.next.command, survey.next.files);
}

function urlOf(command: KubeletCommand, files: ConfigFiles): string | undefined {
  const flagPort = lastFlag(command.flags, 'healthz-port')?.value;
  const filePort = fileMember(files, 'healthzPort');
  const port = flagPort === undefined ? (typeof filePort === 'number' ? filePort : DEFAULT_PORT) : Number(flagPort);
  if (!Number.isInteger(port) || port <= 0 || port > 65_535) return undefined;
  const address = lastFlag(command.flags, 'healthz-bind-address')?.value ?? fileMember(files, 'healthzBindAddress');
  return `http://${reachable(typeof address === 'string' && address !== '' ? address : DEFAULT_ADDRESS)}:${port}/healthz`;
}

/** The last file that names it; null in a drop-in takes it back to the default. */
function fileMember({ config, directory }: ConfigFiles, key: string): unknown {
  const files = [...(config === undefined ? [] : [config]), ...(directory?.dropIns ?? [])];
  const holder = files.findLast(({ decoded }) => decoded?.ok === true && Object.hasOwn(decoded.value, key));
  return holder?.decoded?.ok === true ? holder.decoded.value[key] : undefined;
}

/** An address that stands for all of them is asked on the loopback. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  if (/^[0:]+$/.test(address)) return '[::1]';
  return address.includes(':') ? `[${address}]` : address;
}
