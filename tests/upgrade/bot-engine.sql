-- 2026-11-29T23:48:56.731715+00:00
BEGIN TRANSACTION;
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('ac6c963d-cda3-46d7-a6e2-5e5019e74d1b','1',1795992525000,1795992525000,'registry-bot');
CREATE TABLE dbos_migrations (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "dbos_migrations" VALUES(125);
CREATE TABLE notifications (
    message_uuid TEXT NOT NULL DEFAULT (hex(randomblob(16))) PRIMARY KEY,
    destination_uuid TEXT NOT NULL,
    topic TEXT,
    message TEXT NOT NULL,
    created_at_epoch_ms INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000), "serialization" TEXT DEFAULT NULL, "consumed" BOOLEAN NOT NULL DEFAULT FALSE, consumed_by_function_id INTEGER,
    FOREIGN KEY (destination_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE "operation_outputs" (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    function_name TEXT NOT NULL DEFAULT '',
    output TEXT,
    error TEXT,
    child_workflow_id TEXT,
    started_at_epoch_ms INTEGER,
    completed_at_epoch_ms INTEGER,
    serialization TEXT,
    application_name TEXT DEFAULT NULL,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    PRIMARY KEY (workflow_uuid, function_id)
);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:plan',1,'prepare','{"run":1,"cluster":"/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/edge-rg/providers/microsoft.kubernetes/connectedclusters/berlin-arc","turn":1}',NULL,NULL,1795992526136,1795992526508,'portable_json','registry-bot',1795992526000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:plan',2,'run.v1',NULL,NULL,'op-j47wst5:run:1',1795992526525,1795992526527,NULL,'registry-bot',1795992526000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',1,'confirm','{"steps":[0,1,2,3,4,5,6,7]}',NULL,NULL,1795992527000,1795992527030,'portable_json','registry-bot',1795992527000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',2,'0.begin','{"state":"done"}',NULL,NULL,1795992527035,1795992527172,'portable_json','registry-bot',1795992527000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',3,'1.begin','{"state":"done"}',NULL,NULL,1795992527175,1795992527276,'portable_json','registry-bot',1795992527000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',4,'2.begin','{"state":"going","token":{"$":"Pending","target":"/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr/tokens/edge01","url":"https://127.0.0.1:42823/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr/tokens/edge01/operationStatuses/token-5d5e46f2-fe92-4331-a0f1-1e84274d34f0?api-version=2025-11-01&t=639315893272941322&c=DnLlan9nN3EFsGwrEBAdgcYTgAO2-fZWOEnRchgbKWTTiQEFBR1ed3k4mLZt9i94dffwlJ1erT0lhotxfXl-49rjQ-xXJP52MFaiWUOu6GG8__PMnkAYtHZqp6RyVxgYr0UGL0bSS2lw8FhNL4zGhTvxKaFs4KqxkT863pshc7B-S0xRPKWrLwkXlHQhjcGDCtKjUUcK0ShM0nbdPQsfBjAkb0nbjMjVtSl8as5yD5sLixsAGoUM79qFxHnL-Ri7jC7lcUToE8_O_ooJtYkc0dSXPfWPlw7JImO30-cYIJZ-SQIoM6Aeap6nUaktfqIi02pVdn29g1m-Z5m_myZhYtjDkoUSoszDAGjQKHgCjme25S6Tg21dl4FBaKCzS0G7pg_bqddfnIntVnLOKMfXhQueBKrSlOvmk6CHnIVZfBU5DQJ1Yk99VzYFQSZOQmiPvR2yrPA_ziPrecJuKqm0F_KdVJBRrWL6TSCqcw4zxnrot6xNw615xdACh3nUdqA9sNXILnybJegdRSWB4yALoscR8Re1gjPf2Mjs0qe7tKlIMlq61cHWLfhXiDzkurDWlUgVklXAHfm0AxpTz9vIj9PnQlTJq9t_T16Zfzry8crj-MnUbmcyHiKMQKAXEUdPeWnz-U5vF7TdOMu6PIIsQ8fpr_VJnzFjaIqAWvU1LeOWn5I_-Sk0EE5vyIJyuxXJBXCrycpNR9ubihzVsCUdOQ6aEHE9FUlihFClh-hO5TkczEFJSrMqWEXBacpGA8cERN7ekRW9JhKv2KxTShR6TMfgoEV1SjvedFqMNLhld57AZ3XjpES0HEXHMpROuy4oiJ1v8wxx_h7HbivOY6r-kW50unTt5EBq5GTVmLbUzjUW3Q1S5K53wFvHOi_Kw006mzBkVXRhVnu4cpl7f_wUcybjDQZ3hwaZ73wZtPCPDD_gM_8TRFZLVA_GWmQfXPHOFu6yvmaGmFMKxEjEdrztGIg6g_7LNF-37KkE0I9mnKJV0TsSHQQoEUgRw7pFT3byo_pL3u4vGh_Ol-HgjlWsn6JyzJqgY-gYyNwvqtpHETqNTW75KfKIfObbROG8UoV49Gb3zIEsMlMJgSwpsDCckyto1yzzSDtcZCmj6iO_wjQ1AWL-8xl6drHRtnyvCBa5wWUGBLZIeRvPtaK8wMLf07HfSsM8j4-qagdeKL_uQSs1HKsjM7EW_PZUGlntQeFXW8Nl745ZEAh55MMn2a-CdiyX9TK4E1csuBzGI84NkJq2DCPs9w7xqDLZaGCKdwhC29WpcNK0z1ceiR360HmDgVSpuX-8BtrdiTWdLK3e1VKTmlnk1BF4tWicCgqWQK42qd1bJpH3N5E8jIpNrMW31fZ5t_B2v4b2_Fn2CExdhVbpL8MI2-hVzFAhW7J6T6dd1xOQOzQseSScYGylx-1RRZRN_uQd1xXIxuQ0Gl40YaIw0bLH4Mb96mJjie14M4ZKeUX5XHQ7T9VQy-W7TBb7iZwY3WeKwMw2MNsjn2ElSNjjSiyjQRQZx4iim9BXvg2S0Q45Sc0bQZALkcm_gx4igrOZQUnI2Ul5jw2d9XtrKY1EQ7Ej37A_CBL7xDNQDRqwiwPS7bWY6Hq3-Xrpu5GYqxHrEMFGSGYqgwwmPlrTbRNKj1xOPPJ_zmdewp9JskAJrfIJoee1-4OtRmadgTZEEpWqow6W1vgsfLQ1Ym325w1vWqMxQkHTZYAa9BixUsPZ0IBQknNPONRjBrXOpM4YhO59yYCQ66QLgOJL6wWnUxNx6rD1I7IDHGXE5EOIe52gHpTdfKAPEmyjMvT8d1EcKp9q3G9339qbg36GCh3zGs1zrPw8mpAH63WzfN0ncFR0yyFC6p3QersH-d4scqULFcpLRK3isiadXfViWBcNWedxxxDmmVp_pJtq4fukYuvPxjj2nG44Fg0RzZnuCfog4GA6byA7vV9Y0geX8ldx-MzY-sr6pJpgG39X4ejDJWjwGO4XMh6Ullpaq_Qm&s=T8J7JjK1ze5Rr7C3MUCbSM3hfG_VPckX0w2vd8wnuGP7PcGj1XELo5RKdGXYmx7Z5ZIKo_WKENfyIcLnBUM9Zdwkh7XwU5Cs4KE9VCLTqU2-pYczeiYvog6Mjdq-ngQmyD-g2w-Ad0IMDCxHl-2HNRx_iIZ3YrZyuSVbqND8oMZqU9aqgCfZOHIsI_xYGK_woQswId0MDhDt_VJpnCSm5SAJ7irQSMe4t34eZ2KpE3SYxf6uribFKbLChep28FxgdAQnllf7HNlB2dRNgzWiFugj0QHK8ZzJU1HISKlQ-Sa5BLxgEC6aLOHqBzJLgP_77khIH4x5D1Ig7ggeuk_xkA&h=DllT0ORs-89wj_tOet-ldpId7rMfnl6A_8uQmuacrVk","kind":"status","correlation_id":"52fdbeaa-90a2-4a96-91d3-935df8f604a5","retry_after":0,"facts":{}},"correlation_id":"52fdbeaa-90a2-4a96-91d3-935df8f604a5"}',NULL,NULL,1795992527279,1795992527302,'portable_json','registry-bot',1795992527000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',5,'2.wait','{"state":"done"}',NULL,NULL,1795992527307,1795992527326,'portable_json','registry-bot',1795992527000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',6,'3.begin','{"state":"going","token":{"$":"Pending","target":"/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr/connectedRegistries/edge01","url":"https://127.0.0.1:42823/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr/connectedRegistries/edge01/operationStatuses/connectedRegistries-877f2ff6-db52-45de-863e-f0b3f1d4537a?api-version=2025-11-01&t=639315893273500178&c=DnLlan9nN3EFsGwrEBAdgcYTgAO2-fZWOEnRchgbKWTTiQEFBR1ed3k4mLZt9i94dffwlJ1erT0lhotxfXl-49rjQ-xXJP52MFaiWUOu6GG8__PMnkAYtHZqp6RyVxgYr0UGL0bSS2lw8FhNL4zGhTvxKaFs4KqxkT863pshc7B-S0xRPKWrLwkXlHQhjcGDCtKjUUcK0ShM0nbdPQsfBjAkb0nbjMjVtSl8as5yD5sLixsAGoUM79qFxHnL-Ri7jC7lcUToE8_O_ooJtYkc0dSXPfWPlw7JImO30-cYIJZ-SQIoM6Aeap6nUaktfqIi02pVdn29g1m-Z5m_myZhYtjDkoUSoszDAGjQKHgCjme25S6Tg21dl4FBaKCzS0G7pg_bqddfnIntVnLOKMfXhQueBKrSlOvmk6CHnIVZfBU5DQJ1Yk99VzYFQSZOQmiPvR2yrPA_ziPrecJuKqm0F_KdVJBRrWL6TSCqcw4zxnrot6xNw615xdACh3nUdqA9sNXILnybJegdRSWB4yALoscR8Re1gjPf2Mjs0qe7tKlIMlq61cHWLfhXiDzkurDWlUgVklXAHfm0AxpTz9vIj9PnQlTJq9t_T16Zfzry8crj-MnUbmcyHiKMQKAXEUdPeWnz-U5vF7TdOMu6PIIsQ8fpr_VJnzFjaIqAWvU1LeOWn5I_-Sk0EE5vyIJyuxXJBXCrycpNR9ubihzVsCUdOQ6aEHE9FUlihFClh-hO5TkczEFJSrMqWEXBacpGA8cERN7ekRW9JhKv2KxTShR6TMfgoEV1SjvedFqMNLhld57AZ3XjpES0HEXHMpROuy4oiJ1v8wxx_h7HbivOY6r-kW50unTt5EBq5GTVmLbUzjUW3Q1S5K53wFvHOi_Kw006mzBkVXRhVnu4cpl7f_wUcybjDQZ3hwaZ73wZtPCPDD_gM_8TRFZLVA_GWmQfXPHOFu6yvmaGmFMKxEjEdrztGIg6g_7LNF-37KkE0I9mnKJV0TsSHQQoEUgRw7pFT3byo_pL3u4vGh_Ol-HgjlWsn6JyzJqgY-gYyNwvqtpHETqNTW75KfKIfObbROG8UoV49Gb3zIEsMlMJgSwpsDCckyto1yzzSDtcZCmj6iO_wjQ1AWL-8xl6drHRtnyvCBa5wWUGBLZIeRvPtaK8wMLf07HfSsM8j4-qagdeKL_uQSs1HKsjM7EW_PZUGlntQeFXW8Nl745ZEAh55MMn2a-CdiyX9TK4E1csuBzGI84NkJq2DCPs9w7xqDLZaGCKdwhC29WpcNK0z1ceiR360HmDgVSpuX-8BtrdiTWdLK3e1VKTmlnk1BF4tWicCgqWQK42qd1bJpH3N5E8jIpNrMW31fZ5t_B2v4b2_Fn2CExdhVbpL8MI2-hVzFAhW7J6T6dd1xOQOzQseSScYGylx-1RRZRN_uQd1xXIxuQ0Gl40YaIw0bLH4Mb96mJjie14M4ZKeUX5XHQ7T9VQy-W7TBb7iZwY3WeKwMw2MNsjn2ElSNjjSiyjQRQZx4iim9BXvg2S0Q45Sc0bQZALkcm_gx4igrOZQUnI2Ul5jw2d9XtrKY1EQ7Ej37A_CBL7xDNQDRqwiwPS7bWY6Hq3-Xrpu5GYqxHrEMFGSGYqgwwmPlrTbRNKj1xOPPJ_zmdewp9JskAJrfIJoee1-4OtRmadgTZEEpWqow6W1vgsfLQ1Ym325w1vWqMxQkHTZYAa9BixUsPZ0IBQknNPONRjBrXOpM4YhO59yYCQ66QLgOJL6wWnUxNx6rD1I7IDHGXE5EOIe52gHpTdfKAPEmyjMvT8d1EcKp9q3G9339qbg36GCh3zGs1zrPw8mpAH63WzfN0ncFR0yyFC6p3QersH-d4scqULFcpLRK3isiadXfViWBcNWedxxxDmmVp_pJtq4fukYuvPxjj2nG44Fg0RzZnuCfog4GA6byA7vV9Y0geX8ldx-MzY-sr6pJpgG39X4ejDJWjwGO4XMh6Ullpaq_Qm&s=X-dixLtzred3hSIiub1s9xcVXy4-F_ahkpxzUNa2aDnXoYWCDVcqkYNWyQLC_UI2TRC3hlBjzsMd3aKzdT7-UQ4UaMJrbO84I2ysV9AzWBslj_lbKz96V5ozV09AGsNoXGYwRS2QvzKjUc2NPEQoeIDoF4MZY4EK0odc_ECBkY9b0sV00u0mSs_dyR7XAe_9VNPRrp-Vg0tfc9D7UMSIY5_xoIGd909-RmNPyXrtIIYAG8Mecb8km1dR8CQezCXCNEEsGRoQHFtfD4v_caeC5Uu9QDz0N_U8HRAK0sKURWy6bNKlF99OBVgpH3DFYBbG2qa-KrOCT0UHg3BHJGZYOQ&h=JxEi6l9fSjxjiDo5ov-O1oSUypQH7aK0KUy67klI7Gk","kind":"status","correlation_id":"6ba9c279-17d8-46b4-8a52-61bcf0dea8e5","retry_after":0,"facts":{"gateway_endpoint":"contosoacr.westeurope.data.azurecr.io"}},"correlation_id":"6ba9c279-17d8-46b4-8a52-61bcf0dea8e5"}',NULL,NULL,1795992527329,1795992527355,'portable_json','registry-bot',1795992527000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',7,'3.wait','{"state":"done"}',NULL,NULL,1795992527358,1795992527397,'portable_json','registry-bot',1795992527000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',8,'4.begin','{"state":"going","token":null,"correlation_id":"f974165d-66ff-4dc0-b8c4-7973ece7d801"}',NULL,NULL,1795992527400,1795992527480,'portable_json','registry-bot',1795992527000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',9,'4.wait','{"state":"done"}',NULL,NULL,1795992527509,1795992527856,'portable_json','registry-bot',1795992527000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',10,'5.begin','{"state":"done"}',NULL,NULL,1795992527860,1795992528495,'portable_json','registry-bot',1795992528000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',11,'6.begin','{"state":"done"}',NULL,NULL,1795992528500,1795992528524,'portable_json','registry-bot',1795992528000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',12,'7.begin','{"state":"done"}',NULL,NULL,1795992528544,1795992528580,'portable_json','registry-bot',1795992528000);
INSERT INTO "operation_outputs" VALUES('op-j47wst5:run:1',13,'end','null',NULL,NULL,1795992528584,1795992528736,'portable_json','registry-bot',1795992528000);
INSERT INTO "operation_outputs" VALUES('op-nw7ngss:plan',1,'prepare','{"run":1,"cluster":"/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/edge-rg/providers/microsoft.kubernetes/connectedclusters/kiel-arc","turn":1}',NULL,NULL,1795992533182,1795992533576,'portable_json','registry-bot',1795992533000);
INSERT INTO "operation_outputs" VALUES('op-nw7ngss:plan',2,'run.v1',NULL,NULL,'op-nw7ngss:run:1',1795992533586,1795992533590,NULL,'registry-bot',1795992533000);
INSERT INTO "operation_outputs" VALUES('op-nw7ngss:run:1',1,'confirm','{"steps":[0,1,2,3,4,5,6,7]}',NULL,NULL,1795992533696,1795992533726,'portable_json','registry-bot',1795992533000);
INSERT INTO "operation_outputs" VALUES('op-nw7ngss:run:1',2,'0.begin','{"state":"done"}',NULL,NULL,1795992533730,1795992533807,'portable_json','registry-bot',1795992533000);
INSERT INTO "operation_outputs" VALUES('op-nw7ngss:run:1',3,'1.begin','{"state":"stopped","why":"failed","error":{"$":"Failure","cause":"not_allowed","facts":{"extension":"","state":"","address":"","storage_class":"","name":"","service":"azure","target":"/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr/scopeMaps/edge03","code":"AuthorizationFailed","message":"The server encountered an internal error.","ranges":"","action":""},"correlation_id":""},"step":1}',NULL,NULL,1795992533810,1795992533876,'portable_json','registry-bot',1795992533000);
INSERT INTO "operation_outputs" VALUES('op-nw7ngss:run:1',4,'end','null',NULL,NULL,1795992533879,1795992533932,'portable_json','registry-bot',1795992533000);
INSERT INTO "operation_outputs" VALUES('op-tuena2s:plan',1,'prepare','{}',NULL,NULL,1795992534104,1795992534460,'portable_json','registry-bot',1795992534000);
INSERT INTO "operation_outputs" VALUES('op-8dznbez:plan',1,'prepare','{"run":1,"cluster":"/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/edge-rg/providers/microsoft.kubernetes/connectedclusters/hamburg-arc","turn":1}',NULL,NULL,1795992534593,1795992534986,'portable_json','registry-bot',1795992534000);
INSERT INTO "operation_outputs" VALUES('op-8dznbez:plan',2,'run.v1',NULL,NULL,'op-8dznbez:run:1',1795992534991,1795992535002,NULL,'registry-bot',1795992535000);
INSERT INTO "operation_outputs" VALUES('op-8dznbez:run:1',1,'confirm','{"steps":[0,1,2,3,4,5,6,7]}',NULL,NULL,1795992535120,1795992535324,'portable_json','registry-bot',1795992535000);
INSERT INTO "operation_outputs" VALUES('op-8dznbez:run:1',2,'0.begin','{"state":"done"}',NULL,NULL,1795992535332,1795992535399,'portable_json','registry-bot',1795992535000);
INSERT INTO "operation_outputs" VALUES('op-dggs42t:plan',1,'prepare','{"run":1,"cluster":"/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/edge-rg/providers/microsoft.kubernetes/connectedclusters/hamburg-arc","turn":2}',NULL,NULL,1795992536382,1795992536676,'portable_json','registry-bot',1795992536000);
INSERT INTO "operation_outputs" VALUES('op-dggs42t:plan',2,'run.v1',NULL,NULL,'op-dggs42t:run:1',1795992536706,1795992536711,NULL,'registry-bot',1795992536000);
CREATE TABLE queues (
    queue_id TEXT PRIMARY KEY DEFAULT (hex(randomblob(16))),
    name TEXT NOT NULL UNIQUE,
    concurrency INTEGER,
    worker_concurrency INTEGER,
    rate_limit_max INTEGER,
    rate_limit_period_sec REAL,
    priority_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    partition_queue BOOLEAN NOT NULL DEFAULT FALSE,
    polling_interval_sec REAL NOT NULL DEFAULT 1.0,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL, "partition_concurrency" INTEGER DEFAULT NULL, "partition_worker_concurrency" INTEGER DEFAULT NULL, "partition_rate_limit_max" INTEGER DEFAULT NULL, "partition_rate_limit_period_sec" REAL DEFAULT NULL);
INSERT INTO "queues" VALUES('E85B6D4771C279FF47F24C44C01370CB','operations',50,20,NULL,NULL,1,1,0.1,1795992525000,1795992525677,'registry-bot',1,NULL,NULL,NULL);
CREATE TABLE streams (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    "offset" INTEGER NOT NULL, function_id INTEGER NOT NULL DEFAULT 0, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key, "offset"),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events_history (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, function_id, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_input (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    inputs TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_input" VALUES('op-j47wst5:plan','{"namedArgs":{},"positionalArgs":["op-j47wst5"]}',1795992526000);
INSERT INTO "workflow_input" VALUES('op-j47wst5:run:1','{"namedArgs":{},"positionalArgs":["op-j47wst5",1]}',1795992526000);
INSERT INTO "workflow_input" VALUES('op-nw7ngss:plan','{"namedArgs":{},"positionalArgs":["op-nw7ngss"]}',1795992533000);
INSERT INTO "workflow_input" VALUES('op-nw7ngss:run:1','{"namedArgs":{},"positionalArgs":["op-nw7ngss",1]}',1795992533000);
INSERT INTO "workflow_input" VALUES('op-tuena2s:plan','{"namedArgs":{},"positionalArgs":["op-tuena2s"]}',1795992534000);
INSERT INTO "workflow_input" VALUES('op-8dznbez:plan','{"namedArgs":{},"positionalArgs":["op-8dznbez"]}',1795992534000);
INSERT INTO "workflow_input" VALUES('op-8dznbez:run:1','{"namedArgs":{},"positionalArgs":["op-8dznbez",1]}',1795992535000);
INSERT INTO "workflow_input" VALUES('op-dggs42t:plan','{"namedArgs":{},"positionalArgs":["op-dggs42t"]}',1795992536000);
INSERT INTO "workflow_input" VALUES('op-dggs42t:run:1','{"namedArgs":{},"positionalArgs":["op-dggs42t",1]}',1795992536000);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_output" VALUES('op-j47wst5:plan','null',NULL,1795992526000);
INSERT INTO "workflow_output" VALUES('op-j47wst5:run:1','null',NULL,1795992528000);
INSERT INTO "workflow_output" VALUES('op-nw7ngss:plan','null',NULL,1795992533000);
INSERT INTO "workflow_output" VALUES('op-nw7ngss:run:1','null',NULL,1795992533000);
INSERT INTO "workflow_output" VALUES('op-tuena2s:plan','null',NULL,1795992534000);
INSERT INTO "workflow_output" VALUES('op-8dznbez:plan','null',NULL,1795992535000);
INSERT INTO "workflow_output" VALUES('op-dggs42t:plan','null',NULL,1795992536000);
CREATE TABLE workflow_schedules (
    schedule_id TEXT PRIMARY KEY,
    schedule_name TEXT NOT NULL UNIQUE,
    workflow_name TEXT NOT NULL,
    workflow_class_name TEXT,
    schedule TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    context TEXT NOT NULL
, "last_fired_at" TEXT DEFAULT NULL, "automatic_backfill" BOOLEAN NOT NULL DEFAULT FALSE, "cron_timezone" TEXT DEFAULT NULL, "queue_name" TEXT DEFAULT NULL, "application_name" TEXT DEFAULT NULL);
CREATE TABLE workflow_status (
    workflow_uuid TEXT PRIMARY KEY,
    status TEXT,
    name TEXT,
    authenticated_user TEXT,
    assumed_role TEXT,
    authenticated_roles TEXT,
    request TEXT,
    output TEXT,
    error TEXT,
    executor_id TEXT,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    application_version TEXT,
    application_id TEXT,
    class_name TEXT DEFAULT NULL,
    config_name TEXT DEFAULT NULL,
    recovery_attempts INTEGER DEFAULT 0,
    queue_name TEXT,
    workflow_timeout_ms INTEGER,
    workflow_deadline_epoch_ms INTEGER,
    inputs TEXT,
    started_at_epoch_ms INTEGER,
    deduplication_id TEXT,
    priority INTEGER NOT NULL DEFAULT 0
, queue_partition_key TEXT, forked_from TEXT, "owner_xid" TEXT DEFAULT NULL, "parent_workflow_id" TEXT DEFAULT NULL, "serialization" TEXT DEFAULT NULL, "delay_until_epoch_ms" BIGINT DEFAULT NULL, "was_forked_from" BOOLEAN NOT NULL DEFAULT FALSE, "rate_limited" BOOLEAN NOT NULL DEFAULT FALSE, "completed_at" BIGINT, "attributes" TEXT, "schedule_name" TEXT, "debounce_deadline_epoch_ms" BIGINT DEFAULT NULL, "is_debounced" BOOLEAN NOT NULL DEFAULT FALSE, "application_name" TEXT DEFAULT NULL, "creator_xid" TEXT DEFAULT NULL);
INSERT INTO "workflow_status" VALUES('op-j47wst5:plan','SUCCESS','prepare.v1',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795992526000,1795992526000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,1795992526000,'null',NULL,NULL,0,'registry-bot','1684a1d4-5504-4c1f-8e6d-fed85e9961f4');
INSERT INTO "workflow_status" VALUES('op-j47wst5:run:1','SUCCESS','run.v1',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795992526000,1795992528000,'1','',NULL,NULL,1,'operations',NULL,NULL,NULL,1795992526000,NULL,1,'/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/edge-rg/providers/microsoft.kubernetes/connectedclusters/berlin-arc',NULL,NULL,'op-j47wst5:plan','portable_json',NULL,0,0,1795992528000,'null',NULL,NULL,0,'registry-bot','e353d656-b7d4-42b3-bb05-8c8431f2216b');
INSERT INTO "workflow_status" VALUES('op-nw7ngss:plan','SUCCESS','prepare.v1',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795992533000,1795992533000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,1795992533000,'null',NULL,NULL,0,'registry-bot','e19a2b60-15e4-413a-8521-54db31568e07');
INSERT INTO "workflow_status" VALUES('op-nw7ngss:run:1','SUCCESS','run.v1',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795992533000,1795992533000,'1','',NULL,NULL,1,'operations',NULL,NULL,NULL,1795992533000,NULL,1,'/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/edge-rg/providers/microsoft.kubernetes/connectedclusters/kiel-arc',NULL,NULL,'op-nw7ngss:plan','portable_json',NULL,0,0,1795992533000,'null',NULL,NULL,0,'registry-bot','11d4c32a-9076-4472-9a50-e0cc8c39c866');
INSERT INTO "workflow_status" VALUES('op-tuena2s:plan','SUCCESS','prepare.v1',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795992534000,1795992534000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,1795992534000,'null',NULL,NULL,0,'registry-bot','500f58c0-a66e-4fd9-af7a-f1f2cd68672c');
INSERT INTO "workflow_status" VALUES('op-8dznbez:plan','SUCCESS','prepare.v1',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795992534000,1795992535000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,1795992535000,'null',NULL,NULL,0,'registry-bot','1fbcf29e-d406-4834-adfc-979dd033a7a4');
INSERT INTO "workflow_status" VALUES('op-8dznbez:run:1','PENDING','run.v1',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795992535000,1795992535000,'1','',NULL,NULL,1,'operations',NULL,NULL,NULL,1795992535000,NULL,1,'/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/edge-rg/providers/microsoft.kubernetes/connectedclusters/hamburg-arc',NULL,'ab44b351-cd99-4be3-846e-3f17bdf59025','op-8dznbez:plan','portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'registry-bot','c62a327d-3551-42ed-aa21-88a37e818861');
INSERT INTO "workflow_status" VALUES('op-dggs42t:plan','SUCCESS','prepare.v1',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795992536000,1795992536000,'1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,1795992536000,'null',NULL,NULL,0,'registry-bot','e27718b0-555d-4916-a06f-699df60745f5');
INSERT INTO "workflow_status" VALUES('op-dggs42t:run:1','ENQUEUED','run.v1',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795992536000,1795992536000,'1','',NULL,NULL,0,'operations',NULL,NULL,NULL,NULL,NULL,2,'/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/edge-rg/providers/microsoft.kubernetes/connectedclusters/hamburg-arc',NULL,NULL,'op-dggs42t:plan','portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'registry-bot','ff322875-3691-432c-97d4-6dea884a6cc1');
CREATE INDEX workflow_status_created_at_index ON workflow_status (created_at);
CREATE INDEX idx_workflow_topic ON notifications (destination_uuid, topic);
CREATE INDEX "idx_workflow_status_delayed" ON "workflow_status" ("delay_until_epoch_ms") WHERE status = 'DELAYED';
CREATE INDEX "idx_workflow_status_forked_from" ON "workflow_status" ("forked_from") WHERE "forked_from" IS NOT NULL;
CREATE INDEX "idx_workflow_status_parent_workflow_id" ON "workflow_status" ("parent_workflow_id") WHERE "parent_workflow_id" IS NOT NULL;
CREATE UNIQUE INDEX "uq_workflow_status_dedup_id" ON "workflow_status" ("queue_name", "deduplication_id") WHERE "deduplication_id" IS NOT NULL;
CREATE INDEX "idx_workflow_status_pending" ON "workflow_status" ("created_at") WHERE "status" = 'PENDING';
CREATE INDEX "idx_workflow_status_failed" ON "workflow_status" ("status", "created_at") WHERE "status" IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
CREATE INDEX "idx_workflow_status_rate_limited" ON "workflow_status" ("queue_name", "started_at_epoch_ms") WHERE "rate_limited" = TRUE;
CREATE INDEX "idx_workflow_status_completed_at" ON "workflow_status" ("completed_at") WHERE "completed_at" IS NOT NULL;
CREATE INDEX "idx_workflow_status_started_at" ON "workflow_status" ("started_at_epoch_ms") WHERE "started_at_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_workflow_status_schedule_name" ON "workflow_status" ("schedule_name") WHERE "schedule_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_owner_version"
    ON application_versions ("application_name", "version_name")
    WHERE "application_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_unclaimed_version"
    ON application_versions ("version_name")
    WHERE "application_name" IS NULL;
CREATE INDEX idx_workflow_input_retention
    ON workflow_input (retention_timestamp);
CREATE INDEX idx_workflow_output_retention
    ON workflow_output (retention_timestamp);
CREATE INDEX idx_operation_outputs_retention
    ON operation_outputs (retention_timestamp);
CREATE INDEX "idx_workflow_status_in_flight_v2" ON "workflow_status" ("queue_name", "status", "priority", "created_at", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING');
CREATE INDEX "idx_workflow_status_partition_dequeue_v3" ON "workflow_status" ("queue_name", "status", "queue_partition_key", "priority", "created_at", "workflow_uuid", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING') AND "queue_partition_key" IS NOT NULL;
CREATE INDEX "idx_operation_outputs_completed_at_function_name_v2" ON "operation_outputs" ("completed_at_epoch_ms", "function_name", "application_name");
CREATE INDEX "idx_workflow_status_deadline" ON "workflow_status" ("workflow_deadline_epoch_ms") WHERE "status" IN ('ENQUEUED', 'PENDING', 'DELAYED') AND "workflow_deadline_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_application_versions_timestamp" ON "application_versions" ("version_timestamp" DESC);
CREATE INDEX "idx_application_versions_owner_timestamp" ON "application_versions" ("application_name", "version_timestamp" DESC);
COMMIT;
