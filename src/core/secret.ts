/** Where a secret comes from, and how one is asked for. Never the secret itself. */

/** `prompt`: asked once, before the first host. `env`: a variable of fleetmend's own process. `command`: a program of the controller, its first line. */
export type SecretSource =
  | { readonly from: 'prompt' }
  | { readonly from: 'env'; readonly name: string }
  /** No shell. `{host}`, `{address}` and `{user}` inside an argument are replaced: one secret per host. */
  | { readonly from: 'command'; readonly argv: readonly string[] };

/** What a secret is for. A prompt asks once for each different `label`. */
export interface SecretRequest {
  readonly source: SecretSource;
  /** Completes "the ...": `password of deploy on bastion-1`, `passphrase of /home/a/.ssh/id_ed25519`, `sudo password`. */
  readonly label: string;
  /** For the placeholders of a command. */
  readonly host: { readonly name: string; readonly address: string; readonly user: string };
  /** There are other ways to get in: not asked for where nobody is there to answer. */
  readonly optional?: true;
  /** What helps where nobody is there to answer: `load it into the agent: ssh-add FILE`. */
  readonly otherwise?: string;
  /** Whether it is right, where that can be known on this side: a prompt asks again then, three times in all. */
  check?(secret: string): Promise<boolean>;
}
