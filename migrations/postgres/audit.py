"""The triggers that write the audit log: one function, and for each table of configuration one line."""

# What is hidden is told by a fingerprint, so that its change can be seen; what is no configuration is left out.
# PostgreSQL reads neither NUL nor half a surrogate pair in JSON, but columns of JSON hold them: here they are
# U+2400 and U+FFFD, for no change may fail for being audited.
CREATE_FUNCTION = r"""
CREATE FUNCTION heliograph_readable(changed json) RETURNS json LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN position('\u' in changed::text) = 0 THEN changed ELSE regexp_replace(regexp_replace(
        replace(changed::text, '\u0000', '\u2400'),
        '\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})', '\\ufffd', 'gi'),
        '(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}', '\\ufffd', 'gi')::json END
$$;

CREATE FUNCTION heliograph_audited(changed json) RETURNS json LANGUAGE sql IMMUTABLE AS $$
    SELECT json_object_agg(
        key,
        CASE WHEN json_typeof(value) <> 'null' AND key IN
                ('secret_digest', 'password_hash', 'secret_ciphertext', 'headers_ciphertext', 'token_digest')
            THEN to_json('hidden, ' || left(md5(value::text), 8)) ELSE value END
    )
    FROM json_each(changed) WHERE key NOT IN ('last_used_at', 'updated_at', 'last_version')
$$;

CREATE FUNCTION heliograph_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    actor json := nullif(current_setting('heliograph.actor', true), '')::json;
    earlier json;
    later json;
    found json;
    subject text := '';
    project text;
    organization text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        found := heliograph_readable(row_to_json(OLD));
        earlier := heliograph_audited(found);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        found := heliograph_readable(row_to_json(NEW));
        later := heliograph_audited(found);
    END IF;
    IF earlier::text = later::text THEN
        RETURN NULL;
    END IF;
    FOR place IN 1 .. TG_NARGS - 1 LOOP
        subject := subject || CASE WHEN place > 1 THEN ':' ELSE '' END || (found ->> TG_ARGV[place]);
    END LOOP;
    organization := found ->> 'organization_id';
    project := found ->> 'project_id';
    IF TG_TABLE_NAME = 'projects' THEN
        project := found ->> 'id';
    ELSIF TG_TABLE_NAME = 'organizations' THEN
        organization := found ->> 'id';
    ELSIF TG_TABLE_NAME = 'annotation_queue_assignments' THEN
        SELECT project_id INTO project FROM annotation_queues WHERE id = found ->> 'queue_id';
    END IF;
    IF organization IS NULL AND TG_TABLE_NAME <> 'users' THEN
        SELECT organization_id INTO organization FROM projects WHERE id = project;
        -- What a project takes with it is told by the end of the project.
        IF organization IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO audit_log (
        actor_type, actor_id, actor_name, organization_id, project_id, resource_type, resource_id, action, before, after
    ) VALUES (
        coalesce(actor ->> 'type', 'SYSTEM'), coalesce(actor ->> 'id', ''), coalesce(actor ->> 'name', ''),
        organization, project, TG_ARGV[0], subject,
        CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete' END, earlier, later
    );
    RETURN NULL;
END
$$;
"""
DROP_FUNCTION = """
DROP FUNCTION heliograph_audit();
DROP FUNCTION heliograph_audited(json);
DROP FUNCTION heliograph_readable(json);
"""


def audited(table: str, resource_type: str, *key: str) -> str:
    """The statement after which every change of a table's rows is audited; `key` names what tells them apart."""
    arguments = ", ".join(f"'{each}'" for each in (resource_type, *key))
    return (
        f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION heliograph_audit({arguments})"
    )


def unaudited(table: str) -> str:
    """The statement that ends it."""
    return f"DROP TRIGGER audit ON {table}"
