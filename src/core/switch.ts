/** A promise and the way to settle it from elsewhere. Pure. */

export interface Switch {
  readonly on: Promise<void>;
  /** Safe to call twice. */
  set(): void;
}

export function createSwitch(): Switch {
  let set: () => void = () => undefined;
  const on = new Promise<void>((resolve) => {
    set = resolve;
  });
  return { on, set };
}
