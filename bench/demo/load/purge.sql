DELETE FROM install_log WHERE at < now() - interval '30 seconds';
