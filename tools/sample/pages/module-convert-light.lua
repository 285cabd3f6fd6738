-- A module in Lua. It must not be taken for prose, although its comments are sentences.
local p = {}

function p.miles(frame)
    local km = tonumber(frame.args[1]) or 0
    return string.format("%.1f mi", km / 1.609344)
end

return p
