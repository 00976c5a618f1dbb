/** `status`: the output of `systemctl status` as evidence; not active is a failure. Proves little alone: see healthy. */
import { z } from 'zod';
import { defineStep } from '../core/catalogue.js';
import { unitName } from './params.js';

export const status = defineStep({
  phase: 'verify',
  params: z.strictObject({ unit: unitName }),
  title: ({ unit }) => `systemctl status ${unit}`,
  *plan({ unit }) {
    return { want: 'check', check: { check: 'status', unit } };
  },
});
