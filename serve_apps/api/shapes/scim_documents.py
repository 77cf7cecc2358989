"""What of SCIM 2.0 (RFC 7643) is spoken here, as its clients ask: the configuration, the resources, their schemas."""

from collections.abc import Sequence
from typing import Any, NotRequired, cast

from heliograph.domain.access import Role
from serve_apps.api.shapes.scim import MAX_COUNT, USER
from serve_apps.api.shapes.values import JsonShape

_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0"


class Feature(JsonShape):
    """Whether something of SCIM is spoken."""

    supported: bool


class BulkFeature(JsonShape):
    """Whether many changes are taken at once."""

    supported: bool
    maxOperations: int
    maxPayloadSize: int


class FilterFeature(JsonShape):
    """Whether lists are filtered, and how long they are at most."""

    supported: bool
    maxResults: int


class AuthenticationScheme(JsonShape):
    """How a client shows who it is."""

    name: str
    description: str
    specUri: str
    type: str
    primary: bool


class DocumentMeta(JsonShape):
    """What a document of SCIM is, and where."""

    resourceType: str
    location: str


class ScimSupport(JsonShape):
    """What of SCIM is spoken here."""

    schemas: Sequence[str]
    documentationUri: str
    patch: Feature
    bulk: BulkFeature
    filter: FilterFeature
    changePassword: Feature
    sort: Feature
    etag: Feature
    authenticationSchemes: Sequence[AuthenticationScheme]
    meta: DocumentMeta


class ResourceType(JsonShape):
    """What is provisioned."""

    schemas: Sequence[str]
    id: str
    name: str
    endpoint: str
    description: str
    schema: str
    schemaExtensions: Sequence[str]
    meta: DocumentMeta


class AttributeShape(JsonShape):
    """An attribute of a resource."""

    name: str
    type: str
    description: str
    multiValued: bool
    required: bool
    caseExact: bool
    mutability: str
    returned: str
    uniqueness: str
    subAttributes: NotRequired[Sequence["AttributeShape"]]
    canonicalValues: NotRequired[Sequence[str]]


class ScimSchema(JsonShape):
    """The attributes of a resource."""

    schemas: Sequence[str]
    id: str
    name: str
    description: str
    attributes: Sequence[AttributeShape]
    meta: DocumentMeta


SERVICE_PROVIDER_CONFIG: ScimSupport = {
    "schemas": [f"{_SCHEMA}:ServiceProviderConfig"],
    "documentationUri": "https://www.rfc-editor.org/rfc/rfc7644",
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
    "filter": {"supported": True, "maxResults": MAX_COUNT},
    "changePassword": {"supported": False},
    "sort": {"supported": False},
    "etag": {"supported": False},
    "authenticationSchemes": [
        {
            "name": "HTTP Basic",
            "description": "The key pair of an organization",
            "specUri": "https://www.rfc-editor.org/rfc/rfc7617",
            "type": "httpbasic",
            "primary": True,
        }
    ],
    "meta": {"resourceType": "ServiceProviderConfig", "location": "/api/public/scim/ServiceProviderConfig"},
}
RESOURCE_TYPES: list[ResourceType] = [
    {
        "schemas": [f"{_SCHEMA}:ResourceType"],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "A member of the organization",
        "schema": USER,
        "schemaExtensions": [],
        "meta": {"resourceType": "ResourceType", "location": "/api/public/scim/ResourceTypes/User"},
    }
]


def _attribute(name: str, kind: str = "string", **more: Any) -> AttributeShape:
    usual: AttributeShape = {
        "name": name,
        "type": kind,
        "description": "",
        "multiValued": False,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    }
    return cast("AttributeShape", {**usual, **more})


SCHEMAS: list[ScimSchema] = [
    {
        "schemas": [f"{_SCHEMA}:Schema"],
        "id": USER,
        "name": "User",
        "description": "A member of the organization",
        "attributes": [
            _attribute("userName", required=True, uniqueness="server"),
            _attribute("name", "complex", subAttributes=[_attribute("formatted")]),
            _attribute("displayName", mutability="readOnly"),
            _attribute("emails", "complex", multiValued=True, mutability="readOnly"),
            _attribute("active", "boolean"),
            _attribute("roles", multiValued=True, canonicalValues=[role.value for role in Role]),
        ],
        "meta": {"resourceType": "Schema", "location": f"/api/public/scim/Schemas/{USER}"},
    }
]
