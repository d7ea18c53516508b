-- The company's own tables in the warehouse: customers, and messages to send to them (schema "crm").
-- `meltano run tap-line target-postgres` has filled the schema "line" before.

CREATE SCHEMA IF NOT EXISTS crm;

CREATE TABLE IF NOT EXISTS crm.profiles (
    id          text PRIMARY KEY,       -- the company's own key
    email       text,
    line_id     text,                   -- set when the customer has linked the LINE account
    attributes  jsonb,                  -- every further column is an attribute of the person
    updated_at  timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS crm.messages (
    message_id  text PRIMARY KEY,       -- idempotency key: one id, one message
    id          text,                   -- one of id, email and line_id names the recipient
    email       text,
    line_id     text,
    messages    jsonb,                  -- 1 to 5 LINE message objects, or
    text        text,                   -- a plain text; both may contain Liquid
    variables   jsonb,
    expires_at  timestamptz
);

-- 400 people who once followed the account are known customers, linked to their LINE IDs. Some have left since.
INSERT INTO crm.profiles
SELECT 'c-' || n, 'customer' || n || '@shop.example', line_id,
       jsonb_build_object('name', 'Customer ' || n, 'plan', CASE WHEN n % 10 = 0 THEN 'gold' ELSE 'free' END),
       timestamptz '2026-01-01 09:00+09' + n * interval '1 minute'
FROM (
    SELECT row_number() OVER (ORDER BY has_left DESC, line_id) AS n, line_id
    FROM (
        SELECT line_id, false AS has_left FROM line.followers
        UNION
        SELECT line_id, true FROM line.follows
        WHERE type = 'unfollow' AND line_id NOT IN (SELECT line_id FROM line.followers)
    ) AS person
) AS numbered
WHERE n <= 400
ON CONFLICT DO NOTHING;

-- Some rows are as rows are: someone without LINE, a LINE ID that never was one, an email that is none.
INSERT INTO crm.profiles VALUES
    ('c-9001', 'no-line@shop.example', NULL, '{"name": "Aoi", "plan": "free"}', '2026-02-01'),
    ('c-9002', 'typo@shop.example', 'U123', '{"name": "Ren", "plan": "free"}', '2026-02-01'),
    ('c-9003', 'not an email', NULL, '{"name": "Yui", "plan": "free"}', '2026-02-01')
ON CONFLICT DO NOTHING;

-- The campaign: a personal text for every customer, and a coupon picture for those with the gold plan.
INSERT INTO crm.messages (message_id, id, text)
SELECT 'spring-' || id, id, 'Hello {{ profile.name }}, spring is here!'
FROM crm.profiles WHERE line_id LIKE 'U%' AND length(line_id) = 33
ON CONFLICT DO NOTHING;

INSERT INTO crm.messages (message_id, email, messages, variables)
SELECT 'gold-' || id, email,
       '[{"type": "text", "text": "{{ profile.name }}, {{ variables.percent }}% off for you."},
         {"type": "image", "originalContentUrl": "https://shop.example/gold.png",
          "previewImageUrl": "https://shop.example/gold-small.png"}]',
       '{"percent": 20}'
FROM crm.profiles WHERE attributes ->> 'plan' = 'gold'
ON CONFLICT DO NOTHING;

-- And those that cannot go: nobody, nowhere, too late, nothing to say, a word that the template lacks.
INSERT INTO crm.messages (message_id, id, text, expires_at) VALUES
    ('lost-1', 'c-unknown', 'Who are you?', NULL),
    ('lost-2', 'c-9001', 'You have no LINE account, have you?', NULL),
    ('lost-3', 'c-398', 'This was for new year.', '2026-01-02'),
    ('lost-4', 'c-399', NULL, NULL),
    ('lost-5', 'c-400', 'Dear {{ profile.title }}, welcome.', NULL)
ON CONFLICT DO NOTHING;
