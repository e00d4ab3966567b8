import { day, type Day } from './day.js';
import { designs, type Designs } from './designs.js';
import { fleet, type Fleet } from './fleet.js';
import { growth, type Growth } from './growth.js';
import { readPath, type ReadPath } from './read-path.js';
import { renewal, type Renewal } from './renewal.js';
import { type Section } from './section.js';
import { stampede, type Stampede } from './stampede.js';

/** What a whole run found, part by part. */
export interface AllDetails {
  readonly readPath: ReadPath;
  readonly designs: Designs;
  readonly day: Day;
  readonly stampede: Stampede;
  readonly renewal: Renewal;
  readonly growth: Growth;
  readonly fleet: Fleet;
}

export type SectionName = keyof AllDetails;

/** In the order in which they run. */
export const SECTIONS: { readonly [Name in SectionName]: Section<AllDetails[Name]> } = {
  readPath,
  designs,
  day,
  stampede,
  renewal,
  growth,
  fleet,
};
