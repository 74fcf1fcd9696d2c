"""Operations: durable work that changes the world, from request to outcome."""
