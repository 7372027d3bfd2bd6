-- name: sign_of_life
select true;
