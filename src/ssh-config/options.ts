/**
 * Every option of ssh_config(5), OpenSSH 7 to 10 with the additions of Debian: what it is used for here, or that it is not.
 * The one table; names in lower case. Pure.
 */
import type { Directive, RawKey, RawValues } from './parsed-config.js';
import type { OptionText, Problem, Reader } from './option-values.js';
import {
  readAgent, readAlgorithms, readAnything, readChoice, readCommand, readFiles, readFlag, readInteger, readPort, readProxyJump, readText, readTime,
} from './option-values.js';

/** What a line with the option says, or what is wrong with it. */
export type ReadOption = (text: OptionText) => Directive | Problem;

const YES_NO_ASK = { yes: 'yes', no: 'no', true: 'yes', false: 'no', ask: 'ask' } as const;

const used: Readonly<Record<string, ReadOption>> = {
  addressfamily: set('addressFamily', readChoice({ any: 'any', inet: 4, inet6: 6 })),
  bindaddress: set('bindAddress', readText),
  canonicalizehostname: set('canonicalizeHostname', readChoice({ yes: true, no: false, true: true, false: false, always: true })),
  certificatefile: set('certificateFile', readText),
  challengeresponseauthentication: set('kbdInteractiveAuthentication', readFlag),
  ciphers: set('ciphers', readAlgorithms('ciphers')),
  connecttimeout: set('connectTimeoutMs', readTime),
  dsaauthentication: set('pubkeyAuthentication', readPubkey()),
  globalknownhostsfile: set('globalKnownHostsFiles', readFiles),
  hashknownhosts: set('hashKnownHosts', readFlag),
  hostkeyalgorithms: set('hostKeyAlgorithms', readAlgorithms('keys')),
  hostkeyalias: set('hostKeyAlias', readText),
  hostname: set('hostName', readText),
  identitiesonly: set('identitiesOnly', readFlag),
  identityagent: set('identityAgent', readAgent),
  identityfile: set('identityFile', readText),
  identityfile2: set('identityFile', readText),
  ignoreunknown: set('ignoreUnknown', readText),
  kbdinteractiveauthentication: set('kbdInteractiveAuthentication', readFlag),
  kexalgorithms: set('kexAlgorithms', readAlgorithms('kex')),
  macs: set('macs', readAlgorithms('macs')),
  passwordauthentication: set('passwordAuthentication', readFlag),
  port: set('port', readPort),
  preferredauthentications: set('preferredAuthentications', readText),
  protocolkeepalives: set('serverAliveIntervalMs', readTime),
  proxycommand: set('proxyCommand', readCommand),
  proxyjump: set('proxyJump', readProxyJump),
  pubkeyacceptedalgorithms: set('pubkeyAcceptedAlgorithms', readAlgorithms('keys')),
  pubkeyacceptedkeytypes: set('pubkeyAcceptedAlgorithms', readAlgorithms('keys')),
  pubkeyauthentication: set('pubkeyAuthentication', readPubkey()),
  refuseconnection: set('refuseConnection', readText),
  revokedhostkeys: set('revokedHostKeys', readText),
  serveralivecountmax: set('serverAliveCountMax', readInteger),
  serveraliveinterval: set('serverAliveIntervalMs', readTime),
  setuptimeout: set('serverAliveIntervalMs', readTime),
  skeyauthentication: set('kbdInteractiveAuthentication', readFlag),
  stricthostkeychecking: set('strictHostKeyChecking', readChoice({ yes: 'yes', no: 'no', true: 'yes', false: 'no', off: 'no', ask: 'ask', 'accept-new': 'accept-new' })),
  tag: set('tag', readText),
  tisauthentication: set('kbdInteractiveAuthentication', readFlag),
  user: set('user', readText),
  userknownhostsfile: set('userKnownHostsFiles', readFiles),
};

/** It would change the way to a host, who may log in, or what is trusted. The second part: values that ask for nothing. */
const unsupported: Readonly<Record<string, ReadOption>> = {
  bindinterface: not('BindInterface', readText),
  canonicaldomains: not('CanonicalDomains', readAnything, 'none'),
  canonicalizepermittedcnames: not('CanonicalizePermittedCNAMEs', readAnything, 'none'),
  casignaturealgorithms: not('CASignatureAlgorithms', readAlgorithms('keys')),
  gssapiauthentication: not('GSSAPIAuthentication', readFlag, false),
  hostbasedauthentication: not('HostbasedAuthentication', readFlag, false),
  knownhostscommand: not('KnownHostsCommand', readCommand, 'none'),
  nohostauthenticationforlocalhost: not('NoHostAuthenticationForLocalhost', readFlag, false),
  pkcs11provider: not('PKCS11Provider', readText, 'none'),
  proxyusefdpass: not('ProxyUseFdpass', readFlag, false),
  remotecommand: not('RemoteCommand', readCommand, 'none'),
  requiredrsasize: not('RequiredRSASize', readInteger),
  securitykeyprovider: not('SecurityKeyProvider', readText, 'none', 'internal'),
  smartcarddevice: not('PKCS11Provider', readText, 'none'),
  verifyhostkeydns: not('VerifyHostKeyDNS', readChoice(YES_NO_ASK), 'no'),
};

/** For a terminal, for forwardings, for a master connection, for looks; or fleetmend has its own answer. */
const meaningless: Readonly<Record<string, ReadOption>> = {
  ...plain(readFlag, [
    'BatchMode', 'CheckHostIP', 'ClearAllForwardings', 'EnableEscapeCommandline', 'EnableSSHKeysign', 'ExitOnForwardFailure',
    'ForkAfterAuthentication', 'ForwardX11', 'ForwardX11Trusted', 'GatewayPorts', 'KeepAlive', 'PermitLocalCommand', 'StdinNull',
    'StreamLocalBindUnlink', 'TCPKeepAlive', 'VisualHostKey', 'CanonicalizeFallbackLocal', 'GSSAPIDelegateCredentials',
    'GSSAPIKeyExchange', 'GSSAPIRenewalForcesRekey', 'GSSAPITrustDNS', 'WarnWeakCrypto',
  ]),
  ...plain(readText, [
    'ControlPath', 'ForwardAgent', 'KbdInteractiveDevices', 'XAuthLocation', 'GSSAPIClientIdentity', 'GSSAPIServerIdentity', 'GSSAPIKexAlgorithms',
  ]),
  ...plain(readInteger, ['CanonicalizeMaxDots', 'ConnectionAttempts', 'NumberOfPasswordPrompts']),
  ...plain(readTime, ['ForwardX11Timeout']),
  ...plain(readCommand, ['LocalCommand']),
  ...plain(readAlgorithms('keys'), ['HostbasedAcceptedAlgorithms', 'HostbasedKeyTypes']),
  ...plain(readChoice(YES_NO_ASK), ['UpdateHostKeys']),
  ...plain(readChoice({ yes: true, no: false }), ['Compression']),
  ...plain(readChoice({ yes: 1, no: 0, true: 1, false: 0, auto: 2, ask: 3, autoask: 4 }), ['ControlMaster']),
  ...plain(readChoice({ yes: 1, no: 0, true: 1, false: 0, force: 2, auto: 3 }), ['RequestTTY']),
  ...plain(readChoice({ none: 0, subsystem: 1, default: 2 }), ['SessionType']),
  ...plain(readChoice({ yes: 1, no: 0, true: 1, false: 0, ethernet: 2, 'point-to-point': 3 }), ['Tunnel']),
  ...plain(readChoice({ md5: 0, sha1: 1, sha256: 2, sha384: 3, sha512: 4 }), ['FingerprintHash']),
  ...plain(readChoice({
    quiet: 0, fatal: 1, error: 2, info: 3, verbose: 4, debug: 5, debug1: 6, debug2: 7, debug3: 8,
  }), ['LogLevel']),
  ...plain(readAnything, [
    'AddKeysToAgent', 'ChannelTimeout', 'ControlPersist', 'DynamicForward', 'EscapeChar', 'IPQoS', 'LocalForward', 'LogVerbose',
    'ObscureKeystrokeTiming', 'PermitRemoteOpen', 'RekeyLimit', 'RemoteForward', 'SendEnv', 'SetEnv', 'StreamLocalBindMask',
    'SyslogFacility', 'TunnelDevice', 'TunnelOptions', 'VersionAddendum',
    // Obsolete: OpenSSH itself passes them over.
    'AFSTokenPassing', 'Cipher', 'CompressionLevel', 'FallBackToRsh', 'GlobalKnownHostsFile2', 'KerberosAuthentication', 'KerberosTGTPassing',
    'Protocol', 'RhostsAuthentication', 'RhostsRSAAuthentication', 'RSAAuthentication', 'UseBlacklistedKeys', 'UsePrivilegedPort',
    'UseRoaming', 'UserKnownHostsFile2', 'UseRsh',
  ]),
};

const OPTIONS: ReadonlyMap<string, ReadOption> = new Map(Object.entries({ ...meaningless, ...unsupported, ...used }));

/** Undefined: no OpenSSH knows it. */
export function findOption(name: string): ReadOption | undefined {
  return OPTIONS.get(name);
}

export function optionNames(): string[] {
  return [...OPTIONS.keys()];
}

function set<K extends RawKey>(key: K, read: Reader<RawValues[K]>): ReadOption {
  return (text) => {
    const result = read(text);
    if ('problem' in result) return result.problem;
    if ('nothing' in result) return { does: 'nothing', option: key, use: 'meaningless', off: true };
    // The compiler cannot see that key and value belong together; the parameters say so.
    return { does: 'set', key, value: result.value } as Directive;
  };
}

function not<T extends string | number | boolean | object>(option: string, read: Reader<T>, ...off: T[]): ReadOption {
  return pass('unsupported', option, read, off);
}

function plain<T extends string | number | boolean | object>(read: Reader<T>, options: readonly string[]): Record<string, ReadOption> {
  return Object.fromEntries(options.map((option) => [option.toLowerCase(), pass('meaningless', option, read, [])]));
}

function pass<T>(use: 'unsupported' | 'meaningless', option: string, read: Reader<T>, off: readonly T[]): ReadOption {
  return (text) => {
    const result = read(text);
    if ('problem' in result) return result.problem;
    return { does: 'nothing', option, use, off: 'nothing' in result || off.includes(result.value) };
  };
}

function readPubkey(): Reader<boolean> {
  return readChoice({ yes: true, no: false, true: true, false: false, unbound: true, 'host-bound': true });
}
