# shellcheck shell=sh
# shellcheck disable=SC2154 # here comes from run.sh
# The pictures of the README are those of their texts, and are well-formed XML.

picture() { # NAME
	top=$here/../..
	"$top/mk/svg.py" "$top/docs/pictures/$1.txt" >picture.svg &&
		diff "$top/docs/pictures/$1.svg" picture.svg && grep -q "docs/pictures/$1.svg" "$top/README.md" &&
		/usr/bin/python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' picture.svg
}
for name in race demo; do
	check "pictures-$name" picture "$name"
done
# The lines of the demo are of the form that tests/lab/demo.py prints.
picture_demo() {
	sed 's/\[[-+*]//g; s/[-+*]\]//g' "$here/../../docs/pictures/demo.txt" >demo.txt
	grep -q '^lspci -nnk                without earlybind     with earlybind$' demo.txt &&
		[ "$(grep -cE '^    Kernel (driver in use |modules       ) .{22}[a-z]' demo.txt)" -eq 4 ]
}
check pictures-demo-form picture_demo
