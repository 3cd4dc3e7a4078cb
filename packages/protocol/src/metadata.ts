/**
 * `/metadata/endpoints`: how a client learns the addresses of a hub (ARM cloud metadata, object shape of 2022-09-01).
 * @module
 */
import Type, { type Static } from 'typebox'

/** What our CLI reads of the cloud metadata. */
export const CloudMetadataSchema = Type.Object(
  {
    name: Type.String(),
    resourceManager: Type.String(),
    authentication: Type.Object(
      {
        loginEndpoint: Type.String(),
        audiences: Type.Array(Type.String(), { minItems: 1 }),
        tenant: Type.String(),
      },
      { additionalProperties: true },
    ),
  },
  { additionalProperties: true },
)
export type CloudMetadata = Static<typeof CloudMetadataSchema>
