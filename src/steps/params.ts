/** Schemas that several step kinds share. Not a step kind. */
import { z } from 'zod';
import { parseDuration } from '../kubelet/duration.js';

/** `30s`, `1m30s`: a positive duration of at most a day, as milliseconds. */
export const durationMs = z.string().transform((text, context) => {
  const parsed = parseDuration(text);
  const ms = parsed.ok ? Number(parsed.ns / 1_000_000n) : 0;
  if (parsed.ok && ms > 0 && ms <= 86_400_000) return ms;
  context.addIssue({ code: 'custom', message: 'expected a duration from 1ms to 24h such as "30s"' });
  return z.NEVER;
});

/** How long an activation may take: less than a silent connection is kept, so that its end is always seen. */
export const activationTimeoutMs = durationMs.refine((ms) => ms <= 240_000, 'expected a duration of at most 4m');

/** The name of a service unit. */
export const unitName = z.string().regex(/^[A-Za-z0-9:_.@\\-]{1,200}\.service$/, 'expected the name of a service unit such as "kubelet.service"');
