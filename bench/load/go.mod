module sallyport.dev/bench/load

go 1.24
